import { isUnspaced } from './fold-text.ts';

/**
 * Keys are hashes of what a word begins with, so that the index holds no text: the first 1, 3, 5 and 8 characters of a
 * word, and each character of an unspaced one. A word in a message has all of its keys; a word that is asked for needs
 * its longest one only.
 */
const lengths = [8, 5, 3, 1] as const;

/** The keys of words that are in a message. */
export function keysOfWords(words: readonly string[]): Set<number> {
  const keys = new Set<number>();
  for (const word of new Set(words)) {
    if (isUnspaced(word)) for (const character of word) keys.add(hashOf(character));
    else for (const length of lengths) if (word.length >= length) keys.add(hashOf(word.slice(0, length)));
  }
  return keys;
}

/** The keys that a message must have to match the words asked for, those that say most first. */
export function keysToFind(words: readonly string[]): number[] {
  const pieces = words.flatMap((word) => {
    if (isUnspaced(word)) return [...word].map((text) => ({ text, weight: 4 }));
    const length = lengths.find((one) => word.length >= one) ?? 1;
    return [{ text: word.slice(0, length), weight: length }];
  });
  pieces.sort((a, b) => b.weight - a.weight);
  return [...new Set(pieces.map(({ text }) => hashOf(text)))];
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
