import type { Clock } from '@bluewave/runtime/clock';
import type { AppendRequest } from './append.ts';
import type { LogEntry } from './entry.ts';
import type { EntryStore } from './entry-store.ts';
import type { Hold, Outbox } from './outbox.ts';

type Open = {
  request: AppendRequest;
  hold: Hold;
  /** When the store first said that nothing is committed. */
  missingSince: number | undefined;
  nextLook: number;
  wait: number;
};

/**
 * Longer than any write can still be under way once the store answers: operations end on the server after 1.5 s. It is
 * counted from the store's first answer, since a store that stood still may still hold what was sent to it before.
 */
const giveUpMs = 30_000;
const lookMs = 1_000;
const maxLookMs = 8_000;

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
  #closed = false;

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
      this.#looking ??= this.#look(false).finally(() => (this.#looking = undefined));
    }, lookMs);
  }

  add(request: AppendRequest, hold: Hold): void {
    this.#open.add({ request, hold, missingSince: undefined, nextLook: 0, wait: lookMs });
  }

  /** Looks once more; what is still open then is another process's to find out. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await this.#looking;
    await this.#look(true);
  }

  /** One round over all that are due, or the last one over all. A store that is away ends the round. */
  async #look(isLast: boolean): Promise<void> {
    for (const open of [...this.#open]) {
      if (this.#closed && !isLast) return;
      if (this.#clock() < open.nextLook && !isLast) continue;
      const { conversationId, senderId, clientMsgId, traceId } = open.request;
      let entry: LogEntry | null;
      try {
        entry = await this.#store.findByClientMsgId(conversationId, senderId, clientMsgId);
      } catch {
        return; // The next round tries again; nothing is given up while the store is away.
      }
      if (entry) this.#committed(entry, open.hold, traceId);
      else if (this.#isOpen(open)) continue;
      else this.#outbox.release(open.hold);
      this.#open.delete(open);
    }
  }

  /** Whether what is not committed still could be; looked at again after a growing while. */
  #isOpen(open: Open): boolean {
    const now = this.#clock();
    open.missingSince ??= now;
    open.nextLook = now + open.wait;
    open.wait = Math.min(open.wait * 2, maxLookMs);
    return now - open.missingSince < giveUpMs;
  }
}
