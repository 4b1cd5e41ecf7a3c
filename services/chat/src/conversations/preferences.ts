import type { Preferences } from '../reading/read-store.ts';

/** How members want to see conversations: theirs alone, and no part of the log. */
export type PreferenceStore = {
  /**
   * Changes what is given, majority-committed.
   * @param at milliseconds since the epoch: the member's other devices are told what changed since.
   * @returns false for who is no member.
   */
  save(conversationId: string, userId: string, change: Partial<Preferences>, at: number): Promise<boolean>;
};
