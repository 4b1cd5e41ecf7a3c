import type { ConversationState } from './conversation-state.ts';
import type { LogEntry } from './entry.ts';

/**
 * What became of one entry of a batch.
 * - inserted: majority-committed and journaled.
 * - seq-taken: another entry has this address.
 * - id-taken: this (conversation, sender, clientMsgId) has an entry already.
 * - not-tried: an earlier entry of an ordered batch was refused.
 * - unknown: it may or may not have been written.
 */
export type InsertOutcome = 'inserted' | 'seq-taken' | 'id-taken' | 'not-tried' | 'unknown';

/** Where entries live. Reads see only what can no longer be rolled back. Rejections mean the store is away. */
export type EntryStore = {
  /**
   * Inserts a batch: unordered with at most one entry for each conversation, or ordered with consecutive seqs of one.
   * Never rejects: a failure to learn the outcome is the outcome `unknown`.
   */
  insert(entries: readonly LogEntry[], ordered: boolean): Promise<InsertOutcome[]>;
  /** Entries after a seq, ascending. */
  readAfter(conversationId: string, after: number, limit: number): Promise<LogEntry[]>;
  /** The entry with this client id, or null when none is committed. */
  findByClientMsgId(conversationId: string, senderId: string, clientMsgId: string): Promise<LogEntry | null>;
  /** The state as of the last committed entry; an empty state when there is none. */
  loadState(conversationId: string): Promise<ConversationState>;
  /** The first entries of one boot from a time on (inclusive), by time; for republishing. */
  readByBoot(boot: string, fromAt: number, limit: number): Promise<LogEntry[]>;
};
