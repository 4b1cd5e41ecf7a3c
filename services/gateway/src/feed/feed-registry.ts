import { conversationSignal, entryCommitted, headsMoved } from '@bluewave/events/codec';
import type { BusSubscription, Heard } from '@bluewave/events/event-bus';
import { conversationSubjectKind, subjects } from '@bluewave/events/subjects';
import type { ConversationSignal } from '@bluewave/protos/generated/bluewave/events/v1/ConversationSignal';
import { within } from '@bluewave/runtime/deadline';
import type { Logger } from '@bluewave/runtime/logger';
import { ConversationFeed } from './conversation-feed.ts';
import type { ConversationLog, LogEntry } from './conversation-log.ts';
import type { FeedBus } from './feed-bus.ts';
import type { FeedMetrics } from './feed-metrics.ts';
import { limited } from './limited.ts';
import type { Timers } from './timers.ts';

/** What becomes of what feeds deliver. */
export type FeedSink<P> = {
  prepare(entry: LogEntry): P | Promise<P>;
  deliver(prepared: P, entry: LogEntry): void;
  signal(signal: ConversationSignal): void;
};

export type FeedRegistryOptions<P> = {
  bus: FeedBus;
  chat: ConversationLog;
  sink: FeedSink<P>;
  timers: Timers;
  now: () => number;
  metrics: FeedMetrics;
  log: Logger;
};

type Followed<P> = {
  feed: ConversationFeed<LogEntry, P>;
  subscription: BusSubscription;
  holders: number;
  movedAt: number;
};

const fetchesAtOnce = 16;
const headsAtOnce = 1_000;
/** A new feed is checked against the log this soon: events may have passed before the subscription was in force. */
const checkSoonMs = 20;
const checkAgainMs = 500;
/** How often all heads are compared anyway: rarely while the bus works, often while feeds are deaf. */
const checkAllMs = 20_000;
const checkAllDeafMs = 2_000;
const flushMs = 250;

/**
 * A feed for each conversation that somebody here follows: subscribed on the bus, told of heads by the beacon, and
 * compared with the log when it is new, when the bus healed, and from time to time.
 */
export class FeedRegistry<P> {
  readonly #options: FeedRegistryOptions<P>;
  readonly #followed = new Map<string, Followed<P>>();
  readonly #unchecked = new Set<string>();
  readonly #limit = limited(fetchesAtOnce);
  readonly #subscriptions: BusSubscription[];
  #checkTimer: (() => void) | undefined;
  #checking = false;
  #tickTimer: () => void;
  #allCheckedAt: number;
  #closed = false;

  constructor(options: FeedRegistryOptions<P>) {
    this.#options = options;
    this.#subscriptions = [
      options.bus.subscribe(subjects.headsMoved, (heard) => this.#hearHeads(heard)),
      options.bus.onHealed(() => this.#checkAll()),
    ];
    this.#allCheckedAt = options.now();
    this.#tickTimer = this.#armTick();
  }

  /** Conversations that are followed. */
  get size(): number {
    return this.#followed.size;
  }

  /** The feed of a conversation that somebody holds. */
  find(conversationId: string): ConversationFeed<LogEntry, P> | undefined {
    return this.#followed.get(conversationId)?.feed;
  }

  /** What was delivered last and when; nothing for a conversation that nobody holds. */
  headOf(conversationId: string): { head: number; movedAt: number } | undefined {
    const followed = this.#followed.get(conversationId);
    return followed && { head: followed.feed.delivered, movedAt: followed.movedAt };
  }

  /**
   * Holds the feed of a conversation, which starts after `head` when it is new; one that runs stays where it is. Each
   * hold needs its `release`.
   */
  hold(conversationId: string, head: number): ConversationFeed<LogEntry, P> {
    const known = this.#followed.get(conversationId);
    if (known) {
      known.holders += 1;
      return known.feed;
    }
    const feed = this.#open(conversationId, head);
    const subscription = this.#options.bus.subscribe(subjects.conversation(conversationId), (heard) =>
      this.#hear(feed, heard),
    );
    this.#followed.set(conversationId, { feed, subscription, holders: 1, movedAt: 0 });
    this.#check(conversationId);
    return feed;
  }

  release(conversationId: string): void {
    const followed = this.#followed.get(conversationId);
    if (!followed || --followed.holders > 0) return;
    this.#followed.delete(conversationId);
    this.#unchecked.delete(conversationId);
    followed.subscription.close();
    followed.feed.close();
  }

  /** Entries after a seq, within the limit on reads that all feeds share. */
  entriesAfter(conversationId: string, seq: number): Promise<{ entries: LogEntry[]; head: number }> {
    this.#options.metrics.gapFetches.inc();
    return this.#limit(() => this.#options.chat.entriesAfter(conversationId, seq));
  }

  /** Resolves when subscriptions made before are in force, or when the bus does not say so in time: it goes on. */
  async subscribed(): Promise<void> {
    const connection = this.#options.bus.current();
    if (!connection) return;
    await within(flushMs, 'NATS', connection.flush()).catch((error: unknown) =>
      this.#options.log.debug({ err: error }, 'subscriptions were not confirmed; the heads are compared later'),
    );
  }

  close(): void {
    this.#closed = true;
    this.#checkTimer?.();
    this.#tickTimer();
    for (const subscription of this.#subscriptions) subscription.close();
    for (const { feed, subscription } of this.#followed.values()) {
      subscription.close();
      feed.close();
    }
    this.#followed.clear();
  }

  #open(conversationId: string, head: number): ConversationFeed<LogEntry, P> {
    const { sink, timers, metrics, log, now } = this.#options;
    return new ConversationFeed<LogEntry, P>({
      head,
      timers,
      fetchAfter: (seq) => this.entriesAfter(conversationId, seq),
      prepare: (entry) => sink.prepare(entry),
      deliver: (prepared, entry) => {
        metrics.delivered.inc();
        const followed = this.#followed.get(conversationId);
        if (followed) followed.movedAt = now();
        sink.deliver(prepared, entry);
      },
      onError: (error) => {
        metrics.failures.inc();
        log.warn({ err: error, conversationId }, 'a feed step failed');
      },
    });
  }

  #hear(feed: ConversationFeed<LogEntry, P>, heard: Heard): void {
    if (conversationSubjectKind(heard.subject) === 'entry') {
      const { entry } = entryCommitted.decode(heard.data);
      if (entry) feed.offer(entry);
    } else {
      this.#options.sink.signal(conversationSignal.decode(heard.data));
    }
  }

  #hearHeads(heard: Heard): void {
    for (const { conversationId, seq } of headsMoved.decode(heard.data).heads) {
      this.#followed.get(conversationId)?.feed.reach(seq);
    }
  }

  #armTick(): () => void {
    const { timers, bus, now } = this.#options;
    return timers.after(checkAllDeafMs, () => {
      if (!bus.connected || now() - this.#allCheckedAt >= checkAllMs) this.#checkAll();
      this.#tickTimer = this.#armTick();
    });
  }

  #checkAll(): void {
    this.#allCheckedAt = this.#options.now();
    for (const id of this.#followed.keys()) this.#unchecked.add(id);
    this.#armCheck(checkSoonMs);
  }

  #check(conversationId: string): void {
    this.#unchecked.add(conversationId);
    this.#armCheck(checkSoonMs);
  }

  #armCheck(ms: number): void {
    if (this.#closed || this.#checking || this.#checkTimer || this.#unchecked.size === 0) return;
    this.#checkTimer = this.#options.timers.after(ms, () => {
      this.#checkTimer = undefined;
      this.#checking = true;
      void this.#compareHeads().then((worked) => {
        this.#checking = false;
        this.#armCheck(worked ? checkSoonMs : checkAgainMs);
      });
    });
  }

  /** @returns false when the log could not be asked: what is left unchecked is tried again. */
  async #compareHeads(): Promise<boolean> {
    await this.subscribed();
    const ids = [...this.#unchecked].slice(0, headsAtOnce);
    // Whoever is added from here on is checked in another round.
    for (const id of ids) this.#unchecked.delete(id);
    try {
      const heads = await this.#limit(() => this.#options.chat.headsOf(ids));
      for (const { conversationId, head } of heads) this.#followed.get(conversationId)?.feed.reach(head, true);
      return true;
    } catch (error) {
      this.#options.log.warn({ err: error, conversations: ids.length }, 'heads cannot be compared; trying again');
      for (const id of ids) if (this.#followed.has(id)) this.#unchecked.add(id);
      return false;
    }
  }
}
