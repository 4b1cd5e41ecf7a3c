/** The last thing that was seen of a user's membership in a conversation. */
export type MembershipChange = { conversationId: string; seq: number; joined: boolean };

const keepMs = 30_000;
const sweepEveryMs = 10_000;

/**
 * Membership changes that feeds delivered in the last half minute, by user. A list of memberships that was read
 * meanwhile may be older than they are: what is noted here is right.
 */
export class RecentChanges {
  readonly #now: () => number;
  #users = new Map<string, Map<string, MembershipChange & { at: number }>>();
  #sweptAt: number;

  constructor(now: () => number) {
    this.#now = now;
    this.#sweptAt = now();
  }

  note(userId: string, change: MembershipChange): void {
    this.#forgetOld();
    let changes = this.#users.get(userId);
    if (!changes) this.#users.set(userId, (changes = new Map()));
    const known = changes.get(change.conversationId);
    if (!known || known.seq <= change.seq) changes.set(change.conversationId, { ...change, at: this.#now() });
  }

  /** What was noted of a user in a conversation. */
  find(userId: string, conversationId: string): MembershipChange | undefined {
    return this.#users.get(userId)?.get(conversationId);
  }

  /** What was noted of a user. */
  of(userId: string): MembershipChange[] {
    return [...(this.#users.get(userId)?.values() ?? [])];
  }

  #forgetOld(): void {
    const now = this.#now();
    if (now - this.#sweptAt < sweepEveryMs) return;
    this.#sweptAt = now;
    for (const [userId, changes] of this.#users) {
      for (const [id, change] of changes) if (now - change.at > keepMs) changes.delete(id);
      if (changes.size === 0) this.#users.delete(userId);
    }
  }
}
