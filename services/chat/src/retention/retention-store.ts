import type { LogEnds } from './plan.ts';

/** What is below `floor` is on its way to the archive since a time, in milliseconds since the epoch. */
export type Archiving = { conversationId: string; floor: number; since: number; hidden: boolean };

/**
 * The steps by which old entries leave the log, each idempotent and majority-committed when it resolves: whoever dies
 * between two of them leaves something that can be gone on with. Rejections mean the store is away.
 */
export type RetentionStore = {
  /** Every entry that was written before this time is published and projected, whoever wrote it; Infinity for all. */
  doneUpTo(): Promise<number>;
  /** Conversations to look at, of which nothing is on its way. */
  due(olderThan: number, limit: number): Promise<string[]>;
  /** Looks at the first entries of a log, no more than `most`; null for an empty one. */
  look(conversationId: string, olderThan: number, most: number): Promise<LogEnds | null>;
  /** Looks at the conversation again when `lookFrom` is old. */
  lookLater(conversationId: string, lookFrom: number): Promise<void>;
  /**
   * The log shall begin at the floor: who is added from now on begins no earlier.
   * @returns false when something is on its way already.
   */
  begin(conversationId: string, floor: number, lookFrom: number, now: number): Promise<boolean>;
  /** What is on its way, the longest first, after one of them. */
  underWay(after: { since: number } | null, limit: number): Promise<Archiving[]>;
  /** Hides what is below a floor from the next members by user id; null when there are no more. */
  hide(conversationId: string, floor: number, afterUserId: string | null): Promise<string | null>;
  /** No member can read what is below the floor, from `now` on. */
  noteHidden(conversationId: string, floor: number, now: number): Promise<void>;
  /** Copies the first entries below a floor into the archive. @returns their seqs. */
  copy(conversationId: string, floor: number, limit: number, now: number): Promise<number[]>;
  /** Removes what hangs on messages: reactions, stars, and who forwarded them. */
  removeMarks(conversationId: string, seqs: readonly number[]): Promise<void>;
  /** Removes entries that are in the archive from the log. */
  removeEntries(conversationId: string, seqs: readonly number[]): Promise<void>;
  /** Nothing is below the floor any more. */
  finish(conversationId: string, floor: number): Promise<void>;
};

/** Who does a job that one process is enough for. Two that do it at once do no harm. */
export type JobLeases = {
  /** Takes the job, or keeps it, for a time. @returns whether it is the holder's. */
  hold(job: string, holder: string, now: number, forMs: number): Promise<boolean>;
  release(job: string, holder: string): Promise<void>;
};
