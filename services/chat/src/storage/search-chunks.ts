import type { ChatCollections } from './collections.ts';

export type ChunkSizes = {
  /** Entries of a chunk, at most 256. A seq has the same chunk and place for ever: processes cannot disagree. */
  entries: number;
  /** A chunk that was given more keys than people write takes no more: it is a candidate for every search. */
  keys: number;
  /** Pieces that a chunk is given before it is packed anew, see `packAnew`. */
  pieces: number;
  /** Chunks of the first answer. */
  page: number;
  /** Chunks that are read in no order: some 2 MB. */
  together: number;
};

export type ChunkParts = { collections: ChatCollections; sizes: ChunkSizes };

/** The chunk of a seq, and its place there. */
export const chunkOf = (seq: number, sizes: ChunkSizes): number => Math.floor((seq - 1) / sizes.entries);
export const placeOf = (seq: number, sizes: ChunkSizes): number => (seq - 1) % sizes.entries;
