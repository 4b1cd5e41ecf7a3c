import { setMaxListeners } from 'node:events';
import type { PublishOutcome } from '@bluewave/events/acked-publisher';
import { entryCommitted, userEvent } from '@bluewave/events/codec';
import type { EventBus } from '@bluewave/events/event-bus';
import { subjects } from '@bluewave/events/subjects';
import { sleep } from '@bluewave/runtime/deadline';
import type { Logger } from '@bluewave/runtime/logger';
import { createCoalescer } from '../log/coalesce.ts';
import type { ConversationState } from '../log/conversation-state.ts';
import { hasProjection, type LogEntry } from '../log/entry.ts';
import type { EntryStore } from '../log/entry-store.ts';
import type { Hold, Outbox } from '../log/outbox.ts';
import { project, type ProjectionStore } from '../log/projections.ts';
import { type Hydrated, hydrateForAll, nothingHydrated, type SharedReads } from '../reading/hydrate.ts';
import type { ReadStore } from '../reading/read-store.ts';
import { Backlog } from './backlog.ts';
import type { EntryStream } from './entry-stream.ts';
import { presentEntry } from './present-entry.ts';

export type EntryPublisherOptions = {
  bus: Pick<EventBus, 'connected' | 'publish'>;
  /** To the gateways and into the entries stream; the publisher closes it. */
  stream: Pick<EntryStream, 'publish' | 'close'>;
  entries: EntryStore;
  reads: SharedReads & Pick<ReadStore, 'leftAt'>;
  projections: ProjectionStore;
  outbox: Outbox;
  log: Logger;
  /** Unpublished entries that are kept in memory. */
  maxKept?: number;
  /** Told of every entry on its way out, and again when it had to be sent again. */
  onPublished(entry: LogEntry): void;
};

/** What one user's own subject is to hear: an encoded UserEvent. */
type Notice = { userId: string; event: Uint8Array };

/** Larger conversations are looked up by whoever has to notify somebody. */
const maxListedRecipients = 50;
const retryMs = 250;
const maxRetryMs = 5_000;

/**
 * Sees a committed entry through: projects it, tells the gateways and the entries stream, and only then lets go of
 * its hold. What fails is tried again for as long as this process lives; after that recovery does it.
 */
export class EntryPublisher {
  readonly #options: EntryPublisherOptions;
  readonly #backlog: Backlog;
  readonly #projecting = new Map<string, Promise<void>>();
  readonly #coalesce = createCoalescer();
  readonly #abort = new AbortController();
  /** Entries that were taken and are not seen through. */
  #underWay = 0;

  constructor(options: EntryPublisherOptions) {
    this.#options = options;
    // Every entry whose projection fails waits at once.
    setMaxListeners(0, this.#abort.signal);
    const { entries, log, maxKept } = options;
    this.#backlog = new Backlog({
      ...{ entries, log },
      release: (hold) => this.#release(hold),
      ...(maxKept === undefined ? {} : { maxKept }),
      isUp: () => options.bus.connected,
      redo: (entry, signal) => this.redo(entry, signal),
    });
  }

  /** Takes a committed entry and its hold. Returns at once. */
  take(entry: LogEntry, hold: Hold, traceId: string, state: ConversationState | undefined): void {
    this.#underWay += 1;
    const recipients = recipientsOf(entry, state);
    if (!hasProjection(entry.body) && !isShownWithOthers(entry)) {
      return this.#publish(entry, nothingHydrated, hold, traceId, recipients);
    }
    const key = addressOf(entry);
    const projected = this.#persist(entry, () => project(this.#options.projections, entry)).finally(() => {
      if (this.#projecting.get(key) === projected) this.#projecting.delete(key);
    });
    this.#projecting.set(key, projected);
    projected
      .then(() => this.#persist(entry, () => hydrateForAll(this.#options.reads, entry)))
      .then(async (hydrated) => {
        const notices = await this.#persist(entry, () => this.#noticesOf(entry));
        this.#publish(entry, hydrated, hold, traceId, recipients, notices);
      })
      // Only a publisher that closes gives up. The hold stays, and another process finishes it.
      .catch((error: unknown) => this.#options.log.warn({ err: error, seq: entry.seq }, 'an entry stays unpublished'));
  }

  /**
   * Resolves when an entry is projected: what reads after it see its effect. One that may have been written by another
   * process is projected here, too, once for all who ask: the other may not have come to it yet.
   */
  async projected(entry: LogEntry, mayBeOfAnother: boolean): Promise<void> {
    const key = addressOf(entry);
    const underWay = this.#projecting.get(key);
    if (underWay) return underWay;
    if (mayBeOfAnother) await this.#coalesce(key, () => project(this.#options.projections, entry));
  }

  /** Projects and publishes an entry again, until the stream has it or the signal aborts. */
  async redo(entry: LogEntry, signal: AbortSignal): Promise<void> {
    const { projections, reads } = this.#options;
    await project(projections, entry);
    const data = this.#encode(entry, await hydrateForAll(reads, entry), '', undefined);
    const notices = await this.#noticesOf(entry);
    for (;;) {
      signal.throwIfAborted();
      const outcome = await new Promise((resolve) => this.#send(entry, data, notices, resolve));
      if (outcome === 'acked') return this.#options.onPublished(entry);
      await sleep(retryMs, signal);
    }
  }

  /**
   * Waits up to `ms` for what is under way, unless the bus is away, then lets go; what is left is another process's to
   * finish.
   */
  async close(ms: number): Promise<void> {
    const until = Date.now() + ms;
    while (this.#underWay > 0 && this.#options.bus.connected && Date.now() < until) await sleep(20);
    this.#abort.abort(new Error('closed before the entry was seen through'));
    this.#backlog.close();
    this.#options.stream.close();
  }

  /** Does a step of an entry until it succeeds, as long as this process lives. */
  async #persist<T>(entry: LogEntry, step: () => Promise<T>): Promise<T> {
    const { signal } = this.#abort;
    for (let wait = retryMs; ; wait = Math.min(wait * 2, maxRetryMs)) {
      signal.throwIfAborted();
      try {
        return await step();
      } catch (error) {
        this.#options.log.warn({ err: error, seq: entry.seq }, 'a projection failed; it will be tried again');
        await sleep(wait, signal);
      }
    }
  }

  #publish(
    entry: LogEntry,
    hydrated: Hydrated,
    hold: Hold,
    traceId: string,
    recipients?: string[],
    notices: Notice[] = [],
  ): void {
    const data = this.#encode(entry, hydrated, traceId, recipients);
    const attempt = (): void => {
      this.#send(entry, data, notices, (outcome) => {
        if (outcome === 'acked') this.#release(hold);
        else this.#backlog.add({ entry, hold, again: attempt });
      });
      this.#options.onPublished(entry);
    };
    attempt();
  }

  /** Once. What is acknowledged was sent after the notices, so they have arrived too. */
  #send(entry: LogEntry, data: Uint8Array, notices: Notice[], done: (outcome: PublishOutcome) => void): void {
    const { bus, stream } = this.#options;
    for (const { userId, event } of notices) bus.publish(subjects.user(userId), event);
    stream.publish(subjects.entry(entry.conversationId), addressOf(entry), data, done);
  }

  #release(hold: Hold): void {
    this.#underWay -= 1;
    this.#options.outbox.release(hold);
  }

  #encode(entry: LogEntry, hydrated: Hydrated, traceId: string, recipients?: string[]): Uint8Array {
    return entryCommitted.encode({
      entry: presentEntry(entry, hydrated),
      traceId,
      recipientIds: recipients ?? [],
      recipientsKnown: recipients !== undefined,
    });
  }

  /** For those who became or ceased to be members, also when the entry's projection was another process's doing. */
  async #noticesOf({ body, conversationId, seq }: LogEntry): Promise<Notice[]> {
    const notice = (userId: string, event: object) => ({ userId, event: userEvent.encode({ userId, ...event }) });
    if (body.type === 'member:added') {
      return body.userIds.map((userId) => notice(userId, { conversationAdded: { conversationId, seq } }));
    }
    const leavers = await this.#leavers({ body, conversationId, seq });
    return leavers.map((userId) => notice(userId, { conversationRemoved: { conversationId, seq } }));
  }

  async #leavers({ body, conversationId, seq }: Pick<LogEntry, 'body' | 'conversationId' | 'seq'>): Promise<string[]> {
    if (body.type === 'member:removed') return [body.userId];
    return body.type === 'conversation:deleted' ? this.#options.reads.leftAt(conversationId, seq) : [];
  }
}

function addressOf(entry: LogEntry): string {
  return `${entry.conversationId}:${entry.seq}`;
}

/** Whether a message is told with what another one says. */
function isShownWithOthers({ body }: LogEntry): boolean {
  return body.type === 'message:new' && body.replyTo !== undefined;
}

function recipientsOf(entry: LogEntry, state: ConversationState | undefined): string[] | undefined {
  if (entry.body.type !== 'message:new' || !state || state.members.size > maxListedRecipients) return undefined;
  return [...state.members.keys()].filter((userId) => userId !== entry.senderId);
}
