/** A person another one has in a list of theirs; since `at`, milliseconds since the epoch. */
export type Listed = { userId: string; at: number };
export type Contact = Listed & { alias: string };
/** The one who blocks, and the one who is blocked. */
export type Pair = { blocker: string; blocked: string };

/** Most that one user may have in each list, so that reading all of one ends in time. */
export const maxContacts = 10_000;
export const maxBlocks = 2_000;

/** Whom users know and whom they have blocked. Every write is idempotent and majority-committed when it resolves. */
export type PeopleStore = {
  /** Adds or replaces one. @returns false when the user has `max` others already. */
  putContact(userId: string, otherId: string, alias: string, at: number, max: number): Promise<boolean>;
  removeContact(userId: string, otherId: string): Promise<void>;
  /** By user id, ascending, after one. */
  contacts(userId: string, afterUserId: string | null, limit: number): Promise<Contact[]>;
  /** Those of the users who have `otherId` as a contact. */
  whoKnow(otherId: string, userIds: readonly string[]): Promise<string[]>;
  /** @returns false when the user has blocked `max` others already. */
  putBlock(pair: Pair, at: number, max: number): Promise<boolean>;
  removeBlock(pair: Pair): Promise<void>;
  blocks(userId: string, afterUserId: string | null, limit: number): Promise<Listed[]>;
  /** Everybody whom the user has blocked. */
  blockedBy(userId: string): Promise<string[]>;
  /** Those of the pairs that are in force. */
  inForce(pairs: readonly Pair[]): Promise<Pair[]>;
};
