/** How a room is found: by the beginnings of its name's words, in its place among all rooms. */
export type RoomListing = {
  /** Beginnings of the words, up to `indexedPrefix` characters. */
  keys: string[];
  words: string[];
  /**
   * Sorts rooms: those with more members first, in steps of doubling, then by name. So a room changes its place rarely,
   * and who pages through the list misses few.
   */
  place: string;
};

const indexedPrefix = 8;
const maxWords = 16;
const maxWordLength = 64;
const maxNameLength = 64;
const segmenter = new Intl.Segmenter('und', { granularity: 'word' });

/** Null for a room that nobody is in: it is not listed. */
export function listingOf(room: { id: string; name: string; memberCount: number }): RoomListing | null {
  if (room.memberCount < 1) return null;
  const words = wordsOf(room.name);
  const keys = new Set(words.flatMap((word) => [...word].slice(0, indexedPrefix).map((_, end) => cut(word, end + 1))));
  const rank = Math.min(99, Math.floor(Math.log2(room.memberCount)));
  const name = cut(fold(room.name), maxNameLength);
  return { keys: [...keys], words, place: `${String(99 - rank).padStart(2, '0')}.${name}.${room.id}` };
}

/** What is asked for: of each word the key that it must be under, and the whole word where the key does not say it all. */
export type RoomQuery = { keys: string[]; longWords: string[] };

/** Null when there is no word in it: then nothing is found. */
export function roomQueryOf(text: string): RoomQuery | null {
  const words = wordsOf(text);
  if (words.length === 0) return null;
  // The longest first: it finds the fewest, and an index is entered by one.
  const ordered = words.sort((a, b) => b.length - a.length);
  return {
    keys: [...new Set(ordered.map((word) => cut(word, indexedPrefix)))],
    longWords: ordered.filter((word) => [...word].length > indexedPrefix),
  };
}

/** The words of a text in any language, without case and accents, each once. */
function wordsOf(text: string): string[] {
  const words = [...segmenter.segment(fold(text))].filter(({ isWordLike }) => isWordLike);
  return [...new Set(words.map(({ segment }) => cut(segment, maxWordLength)))].slice(0, maxWords);
}

function fold(text: string): string {
  return (
    text
      .normalize('NFKD')
      .replaceAll(/\p{M}+/gu, '')
      // By way of upper case, where ß is SS.
      .toUpperCase()
      .toLowerCase()
      .normalize('NFKC')
      .replaceAll(/\s+/gu, ' ')
      .trim()
  );
}

/** The first characters (code points). */
function cut(text: string, length: number): string {
  return [...text].slice(0, length).join('');
}
