import type { Logger } from '@bluewave/runtime/logger';
import type { LogEntry } from '../log/entry.ts';
import type { EntryStore } from '../log/entry-store.ts';
import type { Hold, Outbox } from '../log/outbox.ts';

type Unpublished = { entry: LogEntry; hold: Hold; again(): void };

export type BacklogOptions = {
  outbox: Outbox;
  entries: EntryStore;
  isUp(): boolean;
  /** Projects and publishes one entry again; rejects when the signal aborts. */
  redo(entry: LogEntry, signal: AbortSignal): Promise<void>;
  log: Logger;
};

/** More than this is not kept in memory: bodies are forgotten and read again from the log. */
const maxKept = 10_000;
const tickMs = 250;
const rescanPage = 200;

/**
 * Entries whose publishing failed. Kept and tried again while they are few; when NATS is away for long their bodies
 * are forgotten, their holds kept, and once it is back they are read again by boot and time from the log.
 */
export class Backlog {
  readonly #options: BacklogOptions;
  readonly #timer: NodeJS.Timeout;
  #kept: Unpublished[] = [];
  /** Boot -> forgotten holds of it. */
  readonly #forgotten = new Map<string, Hold[]>();
  #rescanning = false;
  readonly #abort = new AbortController();

  constructor(options: BacklogOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#tick(), tickMs);
  }

  add(unpublished: Unpublished): void {
    if (this.#abort.signal.aborted) return;
    if (this.#kept.length < maxKept) {
      this.#kept.push(unpublished);
      return;
    }
    const { by } = unpublished.entry;
    const holds = this.#forgotten.get(by);
    if (holds) holds.push(unpublished.hold);
    else this.#forgotten.set(by, [unpublished.hold]);
  }

  close(): void {
    this.#abort.abort(new Error('closed'));
    clearInterval(this.#timer);
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
    for (const [boot, holds] of [...this.#forgotten]) {
      const covered = holds.length;
      const from = holds.reduce((least, hold) => Math.min(least, hold.at), Number.MAX_SAFE_INTEGER);
      let redone = 0;
      for (let more = true; more && !this.#abort.signal.aborted;) {
        const page = await this.#options.entries.readByBoot(boot, from, rescanPage, redone);
        await Promise.all(page.map((entry) => this.#options.redo(entry, this.#abort.signal)));
        redone += page.length;
        more = page.length === rescanPage;
      }
      if (this.#abort.signal.aborted) return;
      this.#options.log.info({ boot, entries: redone }, 'published again from the log');
      for (const hold of holds.splice(0, covered)) this.#options.outbox.release(hold);
      if (holds.length === 0) this.#forgotten.delete(boot);
    }
  }
}
