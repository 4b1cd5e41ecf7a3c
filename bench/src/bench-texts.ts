/** Words as in a language: few are in every other message, most are rare; the same ones in every run. */
const vocabulary = 50_000;
const syllables = ['ba', 'de', 'ki', 'lo', 'mu', 'na', 're', 'si', 'to', 'vu', 'za', 'che', 'dri', 'fro', 'glu', 'shi'];
const characters = 3_000;
const firstCharacter = 0x4e00;

/** A number from 0 to 1, the same ones after each other in every run. */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** The word of a rank: 0 is the most common one. */
export function wordOf(rank: number): string {
  let word = '';
  for (let rest = rank + syllables.length; rest > 0; rest = Math.floor(rest / syllables.length)) {
    word = (syllables[rest % syllables.length] ?? '') + word;
  }
  return word;
}

/** Ranks as people use words: half of all words are among the first few hundred. */
const zipf = (random: () => number, size: number): number => Math.floor(size ** random()) - 1;

/** A message of 6 to 14 words; one in 30 is Chinese. */
export function textOf(random: () => number): string {
  const length = 6 + Math.floor(random() * 9);
  if (random() < 1 / 30) {
    const codes = Array.from({ length }, () => firstCharacter + zipf(random, characters));
    return String.fromCodePoint(...codes);
  }
  return Array.from({ length }, () => wordOf(zipf(random, vocabulary))).join(' ');
}
