import type { LogEntry } from '../log/entry.ts';
import type { SearchTerm } from './search-query.ts';

/** What a reader may find of a conversation: entries from `firstSeq` on, of which those up to `coveredTo` are indexed. */
export type SearchScope = { conversationId: string; firstSeq: number; coveredTo: number };

/** Conversations that one request may name: to merge more of them by time would take too long. */
export const scopesAtOnce = 200;
/** The same for a request that asks for no order. */
export const scopesTogether = 1_000;

/** Times in milliseconds since the epoch. */
export type CandidateRequest = {
  scopes: readonly SearchScope[];
  /** The newest chunks first, page by page, or all chunks at once. */
  order: 'newest' | 'none';
  /** All that a message must have, folded; at least one. */
  terms: readonly SearchTerm[];
  /** Messages outside of these times, both inclusive, need not be told. */
  from: number;
  to: number;
  /** Where the page before ended; null for the first request. */
  place: CandidatePlace | null;
  /** Milliseconds that the answer may take; a longer one is of no use. */
  maxMs: number;
};

/** Chunks whose newest message is younger than `below` were told before; the next page has about `size` chunks. */
export type CandidatePlace = { below: number; size: number };

/** Messages of one chunk that may match, by seq, descending; none of them is younger than `newestAt`. */
export type CandidateChunk = { conversationId: string; seqs: number[]; newestAt: number };

/**
 * Newest chunks first. Every indexed message that matches and whose chunk's newest message is at least as young as
 * `next.below` is among them; `next` is null when there are no more at all. Chunks may be told again.
 */
export type CandidatePage = { chunks: CandidateChunk[]; next: CandidatePlace | null };

/**
 * Tells which messages may match a search, so that few have to be read: a search engine can take its place. It never
 * misses a message that it covers and may name some in vain: whoever asks compares with the messages as they are now,
 * so that a deletion needs nothing done here. Rejections mean that the index is away.
 */
export type SearchIndex = {
  /**
   * Covers the next entries of a conversation's log. Harmless when somebody else did so before.
   * @param after the last seq covered before; the entries follow it without a hole.
   */
  cover(conversationId: string, after: number, entries: readonly LogEntry[]): Promise<void>;
  /** The last seq that is covered, with all before it; 0 for none. */
  coveredTo(conversationId: string): Promise<number>;
  /** Makes a message findable by its new text, whether it is covered or will be. Resolves when it is. */
  noteEdit(conversationId: string, seq: number, text: string): Promise<void>;
  /** Lets go of what only concerns entries below a seq, all of which are covered; nobody asks for them any more. */
  forget(conversationId: string, below: number): Promise<void>;
  /** Null when chunks were asked for in no order and there are very many: then ask for the newest first. */
  candidates(request: CandidateRequest): Promise<CandidatePage | null>;
  /**
   * Looks for conversations whose log goes on after what is covered, among the next ones by id.
   * @param afterId where the last look ended; null to begin.
   * @returns `lastId` null at the end.
   */
  findBehind(afterId: string | null, limit: number): Promise<{ behind: string[]; lastId: string | null }>;
};
