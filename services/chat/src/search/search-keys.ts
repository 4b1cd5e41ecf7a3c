import { isUnspaced } from './fold-text.ts';
import type { SearchTerm } from './search-query.ts';

/** Of a word, beginnings of so many characters can be found; of a longer beginning, its first ones. */
const lengths = [13, 9, 7, 5, 3, 1] as const;

/**
 * Keys are hashes, so that the index holds no text. `words`: each word as a whole and what it begins with; of an
 * unspaced one each character and each two of them side by side. `neighbours`: each two words side by side.
 */
export type SearchKeys = { words: Set<number>; neighbours: Set<number> };

/** What filters have; lists have the keys of words only. */
export const filteredKeys = ({ words, neighbours }: SearchKeys): Set<number> => new Set([...words, ...neighbours]);

/** The keys of a message with these words, in their order. */
export function keysOfWords(words: readonly string[]): SearchKeys {
  const keys: SearchKeys = { words: new Set(), neighbours: new Set() };
  for (const word of new Set(words)) {
    if (isUnspaced(word)) {
      addAll(keys.words, [...word], pairsOf([...word], ''));
    } else {
      addAll(keys.words, [whole(word)], beginningsOf(word));
    }
  }
  addAll(keys.neighbours, pairsOf(words, ' '));
  return keys;
}

/** The keys that a message must have to match every term. */
export function keysToFind(terms: readonly SearchTerm[]): SearchKeys {
  const keys: SearchKeys = { words: new Set(), neighbours: new Set() };
  for (const { words, whole: isWhole } of terms) {
    const last = words.length - 1;
    const isComplete = words.map((word, index) =>
      isUnspaced(word) ? index > 0 && index < last : index < last || isWhole,
    );
    words.forEach((word, index) => {
      if (isUnspaced(word)) addAll(keys.words, charactersToFind([...word]));
      else addAll(keys.words, isComplete[index] ? [whole(word)] : beginningsOf(word).slice(0, 1));
      const next = words[index + 1];
      if (next !== undefined && isComplete[index] && isComplete[index + 1])
        addAll(keys.neighbours, [`${word} ${next}`]);
    });
  }
  return keys;
}

/** No word has a space in it. */
const whole = (word: string): string => `${word} `;

/** The longest one first; at least the first character. */
const beginningsOf = (word: string): string[] =>
  lengths.flatMap((length) => (word.length >= length ? [word.slice(0, length)] : []));

const charactersToFind = (characters: readonly string[]): readonly string[] =>
  characters.length > 1 ? pairsOf(characters, '') : characters;

const pairsOf = (all: readonly string[], between: string): string[] =>
  all.slice(1).map((one, index) => `${all[index]}${between}${one}`);

function addAll(keys: Set<number>, ...lists: (readonly string[])[]): void {
  for (const list of lists) for (const text of list) keys.add(hashOf(text));
}

/** FNV-1a over UTF-16 code units with a final mix; a whole number of 32 bits with sign. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5 ^ text.length;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return hash ^ (hash >>> 13);
}
