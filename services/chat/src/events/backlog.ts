import { setMaxListeners } from 'node:events';
import type { Logger } from '@bluewave/runtime/logger';
import { entriesOfBoot } from '../log/boot-entries.ts';
import type { LogEntry } from '../log/entry.ts';
import type { EntryStore } from '../log/entry-store.ts';
import type { Hold } from '../log/outbox.ts';

type Unpublished = { entry: LogEntry; hold: Hold; again(): void };
/** Entries of one boot that were forgotten: all of them are from `from` on. */
type Forgotten = { from: number; hold: Hold };

export type BacklogOptions = {
  /** Lets go of a hold that is not needed any more. */
  release(hold: Hold): void;
  entries: EntryStore;
  isUp(): boolean;
  /** Projects and publishes one entry again; rejects when the signal aborts. */
  redo(entry: LogEntry, signal: AbortSignal): Promise<void>;
  log: Logger;
  /** More than this is not kept in memory: bodies are forgotten and read again from the log. */
  maxKept?: number;
};

const tickMs = 250;

/**
 * Entries whose publishing failed. Kept and tried again while they are few; when NATS is away for long they are
 * forgotten but for the oldest hold of each boot, which keeps the watermark back for all of them, and once it is back
 * they are read again by boot and time from the log.
 */
export class Backlog {
  readonly #options: BacklogOptions;
  readonly #maxKept: number;
  readonly #timer: NodeJS.Timeout;
  #kept: Unpublished[] = [];
  readonly #forgotten = new Map<string, Forgotten>();
  #rescanning = false;
  readonly #abort = new AbortController();

  constructor(options: BacklogOptions) {
    this.#options = options;
    this.#maxKept = options.maxKept ?? 10_000;
    // A page of entries waits at once.
    setMaxListeners(0, this.#abort.signal);
    this.#timer = setInterval(() => this.#tick(), tickMs);
  }

  add(unpublished: Unpublished): void {
    if (this.#abort.signal.aborted) return;
    if (this.#kept.length < this.#maxKept) this.#kept.push(unpublished);
    else this.#forget(unpublished.entry.by, { from: unpublished.entry.at, hold: unpublished.hold });
  }

  close(): void {
    this.#abort.abort(new Error('closed'));
    clearInterval(this.#timer);
  }

  /** One hold a boot is enough: the older of two. */
  #forget(boot: string, { from, hold }: Forgotten): void {
    const known = this.#forgotten.get(boot);
    if (!known) return void this.#forgotten.set(boot, { from, hold });
    const [older, younger] = known.hold.id < hold.id ? [known.hold, hold] : [hold, known.hold];
    this.#forgotten.set(boot, { from: Math.min(known.from, from), hold: older });
    if (older !== younger) this.#options.release(younger);
  }

  #tick(): void {
    if (!this.#options.isUp()) return;
    const kept = this.#kept;
    this.#kept = [];
    for (const unpublished of kept) unpublished.again();
    if (this.#forgotten.size > 0 && !this.#rescanning) {
      this.#rescanning = true;
      this.#rescan()
        .catch((error: unknown) => this.#options.log.warn({ err: error }, 'a rescan will be tried again'))
        .finally(() => (this.#rescanning = false));
    }
  }

  async #rescan(): Promise<void> {
    for (const [boot, forgotten] of [...this.#forgotten]) {
      // What is forgotten from here on begins anew: this scan may have passed it.
      this.#forgotten.delete(boot);
      try {
        await this.#redoFrom(boot, forgotten.from);
      } catch (error) {
        this.#forget(boot, forgotten);
        throw error;
      }
      this.#options.release(forgotten.hold);
    }
  }

  async #redoFrom(boot: string, from: number): Promise<void> {
    const { entries, redo, log } = this.#options;
    const { signal } = this.#abort;
    let redone = 0;
    for await (const page of entriesOfBoot(entries, boot, from)) {
      await Promise.all(page.map((entry) => redo(entry, signal)));
      redone += page.length;
    }
    signal.throwIfAborted();
    log.info({ boot, entries: redone }, 'published again from the log');
  }
}
