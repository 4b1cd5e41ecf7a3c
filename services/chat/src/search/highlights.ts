import { findWords, foldLetters } from './fold-text.ts';

/** Start and end of a piece of a text, in UTF-16 code units. */
export type Highlight = [start: number, end: number];

const mostHighlights = 100;
/** Each character stands for itself. */
const isAscii = /^[\x20-\x7e]*$/;
const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/**
 * Where the patterns are in a text: pieces in order, apart from each other, at most 100. What a person sees as one
 * character is never parted.
 */
export function highlightsOf(text: string, patterns: readonly string[]): Highlight[] {
  const { folded, starts, ends } = mapFolded(text);
  const found = patterns.flatMap((pattern) => {
    const [before, after] = [pattern.startsWith(' ') ? 1 : 0, pattern.endsWith(' ') ? 1 : 0];
    return occurrences(folded, pattern).map((at): Highlight => {
      const last = at + pattern.length - after - 1;
      return [starts[at + before] ?? 0, ends[last] ?? 0];
    });
  });
  return joined(found).slice(0, mostHighlights);
}

function occurrences(folded: string, pattern: string): number[] {
  const found: number[] = [];
  // The space between two words may end one find and begin the next.
  const step = Math.max(1, pattern.endsWith(' ') ? pattern.length - 1 : pattern.length);
  for (let at = folded.indexOf(pattern); at >= 0 && found.length < mostHighlights;) {
    found.push(at);
    at = folded.indexOf(pattern, at + step);
  }
  return found;
}

function joined(found: Highlight[]): Highlight[] {
  const pieces: Highlight[] = [];
  for (const [start, end] of found.sort((a, b) => a[0] - b[0] || a[1] - b[1])) {
    const last = pieces.at(-1);
    if (last && start <= last[1]) last[1] = Math.max(last[1], end);
    else pieces.push([start, end]);
  }
  return pieces;
}

/** A folded text, and where each of its characters comes from. */
function mapFolded(text: string): { folded: string; starts: number[]; ends: number[] } {
  const letters = foldByGrapheme(text);
  let folded = ' ';
  const starts = [0];
  const ends = [0];
  for (const { word, at } of findWords(letters.folded)) {
    for (let index = at; index < at + word.length; index += 1) {
      starts.push(letters.starts[index] ?? 0);
      ends.push(letters.ends[index] ?? 0);
    }
    folded += `${word} `;
    starts.push(0);
    ends.push(0);
  }
  return { folded, starts, ends };
}

function foldByGrapheme(text: string): { folded: string; starts: number[]; ends: number[] } {
  if (isAscii.test(text)) {
    const places = Array.from({ length: text.length }, (_, index) => index);
    return { folded: text.toLowerCase(), starts: places, ends: places.map((index) => index + 1) };
  }
  let folded = '';
  const starts: number[] = [];
  const ends: number[] = [];
  for (const { segment, index } of graphemes.segment(text)) {
    const piece = foldLetters(segment);
    folded += piece;
    for (let count = 0; count < piece.length; count += 1) {
      starts.push(index);
      ends.push(index + segment.length);
    }
  }
  return { folded, starts, ends };
}
