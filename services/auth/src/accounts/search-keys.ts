/** Prefixes of up to this many characters are index entries of their own. */
export const indexedPrefix = 6;

const maxKeyLength = 64;
const maxWords = 5;

/** Text without case, accents and needless space, for comparing what people type. */
export function fold(text: string): string {
  return text
    .normalize('NFKD')
    .replaceAll(/\p{M}+/gu, '')
    .toLowerCase()
    .normalize('NFKD')
    .replaceAll(/\s+/gu, ' ')
    .trim();
}

/** The first `length` characters (code points). */
export const cut = (text: string, length: number): string => [...text.slice(0, length * 2)].slice(0, length).join('');

/** What a search may begin with: the username, the display name, and the display name from each of its words on. */
export function searchKeys(username: string, displayName: string): string[] {
  const words = fold(displayName).split(' ').filter(Boolean);
  const names = words.slice(0, maxWords).map((_word, index) => cut(words.slice(index).join(' '), maxKeyLength));
  return [...new Set([fold(username), ...names])];
}

/**
 * Every prefix of the keys up to 6 characters. An equality on one of them, with the username behind it in the index,
 * answers a page in username order without sorting, however many people match.
 */
export function searchPrefixes(keys: string[]): string[] {
  const prefixes = new Set<string>();
  for (const key of keys) {
    const characters = [...key].slice(0, indexedPrefix);
    for (let length = 1; length <= characters.length; length += 1) prefixes.add(characters.slice(0, length).join(''));
  }
  return [...prefixes];
}
