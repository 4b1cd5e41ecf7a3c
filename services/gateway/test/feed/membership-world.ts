import { conversationSignal, entryCommitted, headsMoved, userEvent } from '@bluewave/events/codec';
import type { BusSubscription, Heard } from '@bluewave/events/event-bus';
import { subjects } from '@bluewave/events/subjects';
import type { Conversation, Entry } from '@bluewave/api/objects';
import { notFound } from '@bluewave/errors/app-error';
import { createLogger } from '@bluewave/runtime/logger';
import { Registry } from 'prom-client';
import type { LogEntry } from '../../src/feed/conversation-log.ts';
import type { FeedBus } from '../../src/feed/feed-bus.ts';
import { createFeedMetrics } from '../../src/feed/feed-metrics.ts';
import { FeedRegistry } from '../../src/feed/feed-registry.ts';
import { LocalMemberships } from '../../src/feed/local-memberships.ts';
import type { LocalRooms, LocalUser, PreparedEntry } from '../../src/feed/local-user.ts';
import { presentEntry } from '../../src/present/present-entry.ts';
import { unknownUser } from '../../src/present/present-user.ts';
import { VirtualTimers } from './virtual-timers.ts';

export type Told = { kind: 'entry'; seq: number } | { kind: 'added' } | { kind: 'removed' };

/** The entries of a time as a member, from the one that added them to the one that removed them. */
export type Stay = { seqs: number[]; over: boolean };

/** A bus in memory whose messages are late as told, or lost, and all of them while it is broken. */
export class MemoryBus {
  readonly #heard = new Set<{ subject: string; hear(heard: Heard): void }>();
  readonly #healed = new Set<() => void>();
  wasBroken = false;
  connected = true;
  #broken = false;

  current(): undefined {
    return undefined;
  }

  subscribe(subject: string, hear: (heard: Heard) => void): BusSubscription {
    const one = { subject, hear };
    this.#heard.add(one);
    return { close: () => void this.#heard.delete(one) };
  }

  onHealed(run: () => void): BusSubscription {
    this.#healed.add(run);
    return { close: () => void this.#healed.delete(run) };
  }

  /** Loses all from now on. Whoever asks is told of it, or not when the connection only hangs. */
  break(noticed: boolean): void {
    this.#broken = true;
    this.wasBroken = true;
    if (noticed) this.connected = false;
  }

  heal(): void {
    if (!this.#broken) return;
    this.#broken = false;
    this.connected = true;
    for (const run of this.#healed) run();
  }

  publish(subject: string, data: Uint8Array): void {
    if (this.#broken) return;
    for (const { subject: pattern, hear } of [...this.#heard]) {
      const prefix = pattern.endsWith('.*') ? pattern.slice(0, -1) : undefined;
      if (prefix === undefined ? pattern === subject : subject.startsWith(prefix)) hear({ subject, data });
    }
  }
}

/** One conversation's log, the feeds and memberships that follow it, and what each user's one socket was told. */
export class MembershipWorld {
  readonly conversationId = '6d5f0c2e-44a5-4c0e-8f0e-2f2b7a1c9d3e';
  readonly timers = new VirtualTimers();
  readonly bus = new MemoryBus();
  readonly log: LogEntry[] = [];
  readonly told = new Map<string, Told[]>();
  /** Up to where a user's client syncs by itself when its socket is let in. */
  readonly synced = new Map<string, number>();
  /** Heads of the conversation as a user was shown it, each time that they were told that they are in it. */
  readonly shown = new Map<string, number[]>();
  /** As of which seqs lists of memberships had a user in. */
  readonly listed = new Map<string, number[]>();
  readonly attached = new Map<string, LocalUser>();
  readonly memberships: LocalMemberships;
  readonly feeds: FeedRegistry<PreparedEntry>;
  readonly #inRoom = new Set<string>();
  readonly #unprojected = new Set<number>();
  latencyMs = 3;

  constructor() {
    const bus: FeedBus = this.bus;
    const rooms: LocalRooms = {
      join: (userId) => void this.#inRoom.add(userId),
      leave: (userId) => void this.#inRoom.delete(userId),
      deafen: () => undefined,
      entryToConversation: (entry) => this.#inRoom.forEach((userId) => this.#tell(userId, entry)),
      entryToUser: (userId, entry) => this.#tell(userId, entry),
      conversationAdded: (userId, { head }) => {
        this.told.get(userId)?.push({ kind: 'added' });
        this.shown.set(userId, [...(this.shown.get(userId) ?? []), head]);
      },
      conversationRemoved: (userId) => this.told.get(userId)?.push({ kind: 'removed' }),
    };
    const prepare = (entry: LogEntry): PreparedEntry => presentEntry(entry, unknownUser);
    const chat = {
      entriesAfter: async (_id: string, seq: number) => {
        await this.timers.delay(this.latencyMs);
        return { entries: this.log.slice(seq, seq + 5), head: this.log.length };
      },
      headsOf: async () => {
        await this.timers.delay(this.latencyMs);
        return [{ conversationId: this.conversationId, head: this.log.length }];
      },
      membershipsOf: async (userId: string) => {
        await this.timers.delay(this.latencyMs);
        const head = this.#projectedUpTo();
        const isIn = this.isMember(userId, head);
        const found = isIn ? [{ conversationId: this.conversationId, head }] : [];
        if (isIn) this.listed.set(userId, [...(this.listed.get(userId) ?? []), head]);
        await this.timers.delay(this.latencyMs);
        return { conversations: found, blockedUserIds: [] };
      },
    };
    const common = { bus, chat, timers: this.timers, now: () => this.timers.now, log: createLogger('test', 'silent') };
    this.feeds = new FeedRegistry({
      ...common,
      metrics: createFeedMetrics(new Registry(), () => 0),
      sink: { prepare, deliver: (prepared, entry) => this.memberships.apply(prepared, entry), signal: () => undefined },
    });
    this.memberships = new LocalMemberships({
      ...common,
      feeds: this.feeds,
      rooms,
      prepare,
      onUserEvent: () => undefined,
      loadConversation: async (user) => {
        await this.timers.delay(this.latencyMs);
        if (!this.isMember(user.id, this.#projectedUpTo())) throw notFound();
        return { id: this.conversationId, memberCount: 2, head: this.#projectedUpTo() } as Conversation;
      },
    });
    this.#beacon();
  }

  isMember(userId: string, at = this.log.length): boolean {
    const last = this.log
      .slice(0, at)
      .findLast((entry) => entry.membersAdded?.userIds.includes(userId) || entry.memberRemoved?.userId === userId);
    return Boolean(last?.membersAdded);
  }

  /**
   * Commits an entry and announces it after `lateMs`, or never. One that changes who is a member does so for readers of
   * anything but the log after `lagMs`, and is announced after that.
   */
  commit(body: Partial<LogEntry>, lateMs: number | undefined, lagMs = 0): void {
    const seq = this.log.length + 1;
    const entry: LogEntry = { conversationId: this.conversationId, seq, actorId: 'someone', atMs: 0, ...body };
    this.log.push(entry);
    const { conversationId } = this;
    const changesMembers = entry.membersAdded !== undefined || entry.memberRemoved !== undefined;
    const projectedMs = changesMembers ? lagMs : 0;
    if (projectedMs > 0) {
      this.#unprojected.add(seq);
      this.timers.after(projectedMs, () => this.#project(seq));
    } else if (changesMembers) this.#project(seq);
    if (lateMs !== undefined) {
      const data = entryCommitted.encode({ entry, traceId: '', recipientIds: [], recipientsKnown: false });
      this.timers.after(projectedMs + lateMs, () => this.bus.publish(subjects.entry(conversationId), data));
    }
    const tell = (userId: string, event: object): void => {
      const data = userEvent.encode({ userId, ...event });
      this.timers.after(projectedMs + (lateMs ?? 0), () => this.bus.publish(subjects.user(userId), data));
    };
    for (const userId of entry.membersAdded?.userIds ?? [])
      tell(userId, { conversationAdded: { conversationId, seq } });
    if (entry.memberRemoved) tell(entry.memberRemoved.userId, { conversationRemoved: { conversationId, seq } });
  }

  /** Lets a user's socket in, as the gateway does. */
  async attach(userId: string): Promise<void> {
    const identity = {
      userId,
      sessionId: '',
      deviceId: '',
      username: '',
      displayName: '',
      avatarUrl: null,
      expiresAt: 0,
    };
    const user = await this.memberships.attach(identity);
    this.told.set(userId, []);
    const projected = this.#projectedUpTo();
    this.synced.set(userId, this.isMember(userId, projected) ? this.log.length : projected);
    this.attached.set(userId, user);
    if (this.memberships.roomsOf(user).length > 0) this.#inRoom.add(userId);
  }

  /** The times a user was a member. */
  stays(userId: string): Stay[] {
    const stays: Stay[] = [];
    for (const { seq } of this.log) {
      const before = this.isMember(userId, seq - 1);
      const after = this.isMember(userId, seq);
      if (!before && after) stays.push({ seqs: [], over: false });
      const stay = stays.at(-1);
      if (stay && (before || after)) stay.seqs.push(seq);
      if (stay && before && !after) stay.over = true;
    }
    return stays;
  }

  seqsOf(userId: string): number[] {
    return (this.told.get(userId) ?? []).flatMap((one) => (one.kind === 'entry' ? [one.seq] : []));
  }

  /** Signals do not disturb feeds. */
  signal(): void {
    const receipt = { userId: 'someone', deliveredSeq: 1, readSeq: 1, atMs: 0 };
    const { conversationId } = this;
    this.bus.publish(subjects.signal(conversationId), conversationSignal.encode({ conversationId, receipt }));
  }

  close(): void {
    this.memberships.close();
    this.feeds.close();
  }

  /** What is before it is projected along with it. */
  #project(seq: number): void {
    for (const one of [...this.#unprojected]) if (one <= seq) this.#unprojected.delete(one);
  }

  /** As of which seq memberships can be read. */
  #projectedUpTo(): number {
    return Math.min(this.log.length + 1, ...this.#unprojected) - 1;
  }

  #tell(userId: string, entry: Entry): void {
    this.told.get(userId)?.push({ kind: 'entry', seq: entry.seq });
  }

  #beacon(): void {
    this.timers.after(1_000, () => {
      const heads = [{ conversationId: this.conversationId, seq: this.log.length }];
      if (this.log.length > 0) this.bus.publish(subjects.headsMoved, headsMoved.encode({ heads }));
      this.#beacon();
    });
  }
}
