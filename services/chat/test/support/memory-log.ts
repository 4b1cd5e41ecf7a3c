import type { Ban, ConversationInfo, EntryBody, LogEntry, Role } from '../../src/log/entry.ts';
import { changesPermissions } from '../../src/log/entry.ts';
import type { InsertOutcome } from '../../src/log/entry-store.ts';

export type ConversationRow = {
  info: ConversationInfo;
  createdAt: number;
  updatedAt: number;
  deletedAt: number | null;
  memberCount: number;
  appliedSeq: number;
};
export type MemberRow = {
  role: Role;
  joinedSeq: number;
  joinedAt: number;
  firstSeq: number;
  leftSeq: number | null;
  appliedSeq: number;
  ban?: Ban;
};
export type BootRow = {
  watermark: number;
  leaseUntil: number;
  claimedUntil: number;
  passes: number;
  nextPassAt: number;
};

const addressOf = (entry: LogEntry) => `${entry.conversationId}:${entry.seq}`;
const clientIdOf = (entry: LogEntry) => `${entry.conversationId}/${entry.senderId}/${entry.clientMsgId}`;
const copyOf = (entry: LogEntry): LogEntry => ({ ...entry, body: structuredClone(entry.body) });

/**
 * What a replica set holds, as far as the log cares: two unique indexes that decide at once, a commit point that
 * follows, reads that see nothing above it, and what is above it can be rolled back.
 */
export class MemoryLog {
  readonly conversations = new Map<string, ConversationRow>();
  readonly members = new Map<string, Map<string, MemberRow>>();
  readonly boots = new Map<string, BootRow>();
  /** `conversation:target user emoji` -> the last entry that said so. */
  readonly reactions = new Map<string, { target: string; emoji: string; on: boolean; seq: number }>();
  /** Source -> the messages that it became. */
  readonly forwards = new Map<string, Set<string>>();
  /** Message -> the last entry that pinned or unpinned it. */
  readonly pins = new Map<string, number>();
  readonly #byAddress = new Map<string, LogEntry>();
  readonly #byClientId = new Map<string, LogEntry>();
  #written: LogEntry[] = [];
  #committed = 0;

  /** Writes a batch as the server does: an ordered one ends with its first refusal. */
  apply(entries: readonly LogEntry[], ordered: boolean): InsertOutcome[] {
    let stopped = false;
    return entries.map((entry) => {
      if (stopped) return 'not-tried';
      const outcome = this.#applyOne(entry);
      stopped = ordered && outcome !== 'inserted';
      return outcome;
    });
  }

  /** Length of all that is written: a commit up to here covers it. */
  get end(): number {
    return this.#written.length;
  }

  commit(upTo = this.end): void {
    this.#committed = Math.min(Math.max(this.#committed, upTo), this.end);
  }

  /** A failover: what was not committed never happened. */
  rollBack(): void {
    for (const entry of this.#written.splice(this.#committed)) {
      this.#byAddress.delete(addressOf(entry));
      this.#byClientId.delete(clientIdOf(entry));
    }
  }

  /** All committed entries in the order in which they were written: the very ones, only to look at. */
  committed(): readonly LogEntry[] {
    return this.#seen();
  }

  after(conversationId: string, after: number, limit: number): LogEntry[] {
    return this.#of(conversationId)
      .filter(({ seq }) => seq > after)
      .slice(0, limit)
      .map(copyOf);
  }

  permissionsAfter(conversationId: string, after: number, upTo: number): LogEntry[] {
    return this.#of(conversationId)
      .filter(({ seq, body }) => seq > after && seq <= upTo && changesPermissions(body.type))
      .map(copyOf);
  }

  /** Replies in a thread that were not deleted. */
  replies(conversationId: string, root: number): number[] {
    return this.#of(conversationId).flatMap(({ seq, body }) =>
      body.type === 'message:new' && body.threadRoot === root && body.deletedAt === null ? [seq] : [],
    );
  }

  head(conversationId: string): number {
    return this.#of(conversationId).at(-1)?.seq ?? 0;
  }

  byClientId(conversationId: string, senderId: string, clientMsgId: string): LogEntry | null {
    const found = this.#byClientId.get(`${conversationId}/${senderId}/${clientMsgId}`);
    return found && this.#isCommitted(found) ? copyOf(found) : null;
  }

  byBoot(boot: string, fromAt: number): LogEntry[] {
    return this.#seen()
      .filter(({ by, at }) => by === boot && at >= fromAt)
      .sort((a, b) => a.at - b.at)
      .map(copyOf);
  }

  /** Changes the body of a written entry in place; nothing when there is none. */
  change(conversationId: string, seq: number, change: (body: EntryBody) => void): void {
    const entry = this.#byAddress.get(`${conversationId}:${seq}`);
    if (entry) change(entry.body);
  }

  #applyOne(entry: LogEntry): InsertOutcome {
    if (this.#byAddress.has(addressOf(entry))) return 'seq-taken';
    if (this.#byClientId.has(clientIdOf(entry))) return 'id-taken';
    const stored = copyOf(entry);
    this.#byAddress.set(addressOf(stored), stored);
    this.#byClientId.set(clientIdOf(stored), stored);
    this.#written.push(stored);
    return 'inserted';
  }

  #seen(): LogEntry[] {
    return this.#written.slice(0, this.#committed);
  }

  #of(conversationId: string): LogEntry[] {
    return this.#seen()
      .filter((entry) => entry.conversationId === conversationId)
      .sort((a, b) => a.seq - b.seq);
  }

  #isCommitted(entry: LogEntry): boolean {
    return this.#written.indexOf(entry) < this.#committed;
  }
}
