import type { Clock } from '@bluewave/runtime/clock';
import type { AppendRequest } from './append.ts';
import type { LogEntry } from './entry.ts';
import type { EntryStore } from './entry-store.ts';
import type { Hold, Outbox } from './outbox.ts';

type Open = { request: AppendRequest; hold: Hold; since: number };

/** Longer than any write can still be under way: operations end on the server after 1.5 s. */
const giveUpMs = 30_000;
const lookMs = 1_000;

/**
 * Appends whose callers were told to repeat because the outcome stayed unknown. Each is looked up until it turns out
 * to be committed (then it is published like any other) or until it can no longer happen. Their holds keep the
 * watermark back, so another process sees to them should this one die.
 */
export class UnknownOutcomes {
  readonly #store: EntryStore;
  readonly #outbox: Outbox;
  readonly #clock: Clock;
  readonly #committed: (entry: LogEntry, hold: Hold, traceId: string) => void;
  readonly #open = new Set<Open>();
  readonly #timer: NodeJS.Timeout;
  #looking: Promise<void> | undefined;

  constructor(
    store: EntryStore,
    outbox: Outbox,
    clock: Clock,
    committed: (entry: LogEntry, hold: Hold, traceId: string) => void,
  ) {
    this.#store = store;
    this.#outbox = outbox;
    this.#clock = clock;
    this.#committed = committed;
    this.#timer = setInterval(() => {
      this.#looking ??= this.look().finally(() => (this.#looking = undefined));
    }, lookMs);
  }

  get size(): number {
    return this.#open.size;
  }

  add(request: AppendRequest, hold: Hold): void {
    this.#open.add({ request, hold, since: this.#clock() });
  }

  /** One round over all that is open. A store that is away ends the round. */
  async look(): Promise<void> {
    for (const open of [...this.#open]) {
      const { conversationId, senderId, clientMsgId, traceId } = open.request;
      let entry: LogEntry | null;
      try {
        entry = await this.#store.findByClientMsgId(conversationId, senderId, clientMsgId);
      } catch {
        return; // The next round tries again; nothing is given up while the store is away.
      }
      if (entry) this.#committed(entry, open.hold, traceId);
      else if (this.#clock() - open.since < giveUpMs) continue;
      else this.#outbox.release(open.hold);
      this.#open.delete(open);
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }
}
