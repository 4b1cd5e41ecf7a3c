import type { Address } from '../reading/read-store.ts';

/** Whether somebody has starred a message, since `at` (milliseconds since the epoch). */
export type Star = Address & { on: boolean; at: number };

/** What people keep for themselves. Every write is idempotent and majority-committed when it resolves. */
export type StarStore = {
  /** @returns whether this changed anything. */
  put(userId: string, message: Address, on: boolean, at: number): Promise<boolean>;
  /** Messages that are starred, the last one first, after one of them. */
  starred(userId: string, after: Star | null, limit: number): Promise<Star[]>;
  /** What was starred or no longer is, since a time (inclusive), in no order. */
  changedSince(userId: string, since: number, limit: number): Promise<Star[]>;
};
