import type { AckedPublisher, PublishOutcome } from '@bluewave/events/acked-publisher';
import { joinEntries } from '@bluewave/events/codec';
import type { EventBus } from '@bluewave/events/event-bus';
import { subjects } from '@bluewave/events/subjects';

export type EntryStreamOptions = {
  bus: Pick<EventBus, 'publish' | 'breaks'>;
  /** Closed along with this. */
  stream: Pick<AckedPublisher, 'publish' | 'close'>;
};

type Batch = {
  /** The count of breaks under which the gateways were sent all of it. */
  breaks: number;
  ids: string[];
  entries: Uint8Array[];
  bytes: number;
  done: ((outcome: PublishOutcome) => void)[];
};

/** Nobody waits for the stream: what is published within this time travels together. */
const gatherMs = 10;
const maxEntries = 64;
/** Well below what NATS takes in one message, 1 MiB. */
const maxBytes = 256 * 1024;

/**
 * Where entries go when they are committed: to the gateways at once, each on the subject of its conversation, and to
 * the entries stream in batches, since storing, handing out and acknowledging a message there costs more than what is
 * in it.
 */
export class EntryStream {
  readonly #options: EntryStreamOptions;
  #batch: Batch;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: EntryStreamOptions) {
    this.#options = options;
    this.#batch = emptyBatch(options.bus.breaks);
  }

  /**
   * Publishes once. `done` is called with `acked` when the stream holds the entry and NATS had it for the gateways, or
   * with `failed` when that is not known: then it may be in the stream twice after a repeat.
   * @param id of the entry. @param entry an EntryCommitted.
   */
  publish(subject: string, id: string, entry: Uint8Array, done: (outcome: PublishOutcome) => void): void {
    const { bus } = this.#options;
    if (!bus.publish(subject, entry)) return done('failed');
    if (this.#batch.breaks !== bus.breaks || this.#batch.bytes + entry.length > maxBytes) this.#flush();
    const batch = this.#batch;
    batch.ids.push(id);
    batch.entries.push(entry);
    batch.done.push(done);
    batch.bytes += entry.length;
    if (batch.entries.length >= maxEntries) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), gatherMs);
  }

  close(): void {
    this.#flush();
    this.#options.stream.close();
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { bus, stream } = this.#options;
    const { breaks, ids, entries, done } = this.#batch;
    this.#batch = emptyBatch(bus.breaks);
    if (entries.length === 0) return;
    const settle = (outcome: PublishOutcome): void => {
      for (const one of done) one(outcome);
    };
    // What the gateways were sent may be lost with the connection: the stream's word would say nothing about it.
    if (breaks !== bus.breaks) return settle('failed');
    // A repeat is put together anew, so only an entry by itself can be known again by the stream.
    const id = ids.length === 1 ? ids[0] : undefined;
    stream.publish(subjects.entriesCommitted, id, joinEntries(entries), settle);
  }
}

const emptyBatch = (breaks: number): Batch => ({ breaks, ids: [], entries: [], bytes: 0, done: [] });
