/**
 * Text as search sees it: letters and digits without case, accents and width, in words. The rules are ours and not
 * those of a dictionary, since what was indexed by one version of ICU is searched by another.
 */

/** Of scripts that are written without spaces (and of pictographs) every character counts, wherever it stands. */
const unspacedClass =
  '\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Hangul}\\u30FC\\p{Script=Thai}\\p{Script=Lao}' +
  '\\p{Script=Khmer}\\p{Script=Myanmar}\\p{Extended_Pictographic}\\p{Regional_Indicator}';
const unspaced = new RegExp(`^[${unspacedClass}]`, 'u');
const words = new RegExp(`[${unspacedClass}]+|(?:(?![${unspacedClass}])[\\p{L}\\p{N}\\p{M}])+`, 'gu');

/** Accents, but no vowel signs of scripts that have no other way to write them, nor what makes a "ga" of a "ka". */
const accents =
  /(?=\p{M})(?![\u3099\u309A])[\p{Script=Inherited}\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}]/gu;
/** Joiners, soft hyphens, marks of direction, the Arabic stretcher, colours of skin. */
const invisible = /[\p{Cf}\u0640\p{Emoji_Modifier}]/gu;
const lettersOfTheirOwn = /[ßøđłæœþðħŧıĸŋςə]/gu;
const plainLetters: Record<string, string> = {
  ...{ ß: 'ss', ø: 'o', đ: 'd', ł: 'l', æ: 'ae', œ: 'oe', þ: 'th', ð: 'd', ħ: 'h', ŧ: 't', ı: 'i' },
  ...{ ĸ: 'k', ŋ: 'n', ς: 'σ', ə: 'e' },
};

const notAscii = /[\u0080-\uFFFF]/;
const asciiGaps = /[^a-z0-9]+/g;

/** Letters without case, accents and width; what is no letter or digit stays as it is. */
export function foldLetters(text: string): string {
  return text
    .normalize('NFKD')
    .toLowerCase()
    .replace(accents, '')
    .normalize('NFC')
    .replace(invisible, '')
    .replace(lettersOfTheirOwn, (letter) => plainLetters[letter] ?? letter);
}

/** Words in folded letters, with their places. */
export function findWords(folded: string): { word: string; at: number }[] {
  return Array.from(folded.matchAll(words), ({ 0: word, index }) => ({ word, at: index }));
}

/** The words of a text, folded. A run of characters of unspaced scripts is one of them. */
export function wordsOf(text: string): string[] {
  if (!notAscii.test(text)) {
    const line = text.toLowerCase().replace(asciiGaps, ' ').trim();
    return line === '' ? [] : line.split(' ');
  }
  return foldLetters(text).match(words) ?? [];
}

/** Whether a folded word is a run of characters that count one by one. */
export function isUnspaced(word: string): boolean {
  return word.charCodeAt(0) > 127 && unspaced.test(word);
}

/** The words of a text between single spaces, with one before and one after: what patterns are looked for in. */
export function foldText(text: string): string {
  return ` ${wordsOf(text).join(' ')} `;
}
