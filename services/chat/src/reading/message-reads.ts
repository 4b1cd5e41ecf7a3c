import type { LogEntry } from '../log/entry.ts';
import type { Step } from '../receipts/trail-writer.ts';
import type { Address } from './read-store.ts';

/** Somebody shows an emoji on a message since the entry `seq`. */
export type PersonalReaction = { userId: string; emoji: string; at: number; seq: number };
/** Whether somebody shows an emoji, as of the last entry that said so. */
export type ReactionState = { emoji: string; on: boolean; seq: number };
/** Where a list of reactions goes on: they are in the order of emoji, then of seq. */
export type ReactionPlace = { emoji: string; seq: number };

/** Where a member's pointers are, when they last moved (undefined for never), and the steps before that. */
export type PointersOfMember = {
  userId: string;
  readSeq: number;
  deliveredSeq: number;
  readAt: number | undefined;
  deliveredAt: number | undefined;
  trail: { read: Step[]; delivered: Step[] } | undefined;
};

/** Reads of what hangs on messages, each one query that ends in time. Rejections mean the store is away. */
export type MessageReads = {
  /** The emoji that a user shows on a message, and those that they took away. */
  ownReactions(message: Address, userId: string): Promise<ReactionState[]>;
  /** Reactions to a message, only of one emoji when it is given, after a place. */
  reactions(
    message: Address,
    which: { emoji?: string; after?: ReactionPlace },
    limit: number,
  ): Promise<PersonalReaction[]>;
  /** Pinned messages with from <= seq < before, descending. */
  pins(conversationId: string, range: { from: number; before: number }, limit: number): Promise<LogEntry[]>;
  /** Messages in the thread of a root after a seq, ascending. */
  thread(root: Address, after: number, limit: number): Promise<LogEntry[]>;
  /** Members at a message who still are, but one: by user id, ascending, after one. */
  pointers(
    message: Address,
    which: { butUserId: string; after: string | null },
    limit: number,
  ): Promise<PointersOfMember[]>;
};
