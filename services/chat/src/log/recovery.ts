import { setMaxListeners } from 'node:events';
import type { Clock } from '@bluewave/runtime/clock';
import type { Logger } from '@bluewave/runtime/logger';
import { entriesOfBoot } from './boot-entries.ts';
import type { LogEntry } from './entry.ts';
import type { EntryStore } from './entry-store.ts';

/** A boot whose lease has run out, claimed by this process. */
export type AbandonedBoot = { boot: string; watermark: number; passes: number };

export type AbandonedBootStore = {
  /** Claims one boot that is past its lease and due, for `claimMs`; null when there is none. */
  claim(now: number, claimMs: number): Promise<AbandonedBoot | null>;
  /** Records a finished pass and when the next one is due. */
  finishPass(boot: string, nextPassAt: number): Promise<void>;
  remove(boot: string): Promise<void>;
};

export type RecoveryOptions = {
  boots: AbandonedBootStore;
  entries: EntryStore;
  /**
   * Projects and publishes one entry again; resolves when both are done, rejects when the signal aborts. Doing it
   * twice is harmless.
   */
  redo(entry: LogEntry, signal: AbortSignal): Promise<void>;
  clock: Clock;
  leaseMs: number;
  intervalMs: number;
  log: Logger;
};

/** Entries are stamped before they are sent: this much earlier than the watermark nothing can be open. */
const marginMs = 2_000;

/**
 * Finishes what dead processes left: whatever a boot wrote from its watermark on is projected and published again,
 * and once more a lease later, for a write that was still under way when the process died.
 */
export class Recovery {
  readonly #options: RecoveryOptions;
  readonly #timer: NodeJS.Timeout;
  #running: Promise<void> | undefined;
  readonly #abort = new AbortController();

  constructor(options: RecoveryOptions) {
    this.#options = options;
    // A page of entries waits at once.
    setMaxListeners(0, this.#abort.signal);
    this.#timer = setInterval(() => {
      this.#running ??= this.runOnce()
        .catch((error: unknown) => {
          if (!this.#abort.signal.aborted) options.log.warn({ err: error }, 'recovery will be tried again');
        })
        .finally(() => (this.#running = undefined));
    }, options.intervalMs);
  }

  /** Sees to every boot that is due now. Rejects when the store is away. */
  async runOnce(): Promise<void> {
    const { boots, clock, leaseMs } = this.#options;
    while (!this.#abort.signal.aborted) {
      // No longer than a lease: who claims may die too, and what two do at once is done twice, which is harmless.
      const boot = await boots.claim(clock(), leaseMs);
      if (!boot) return;
      await this.#recover(boot);
    }
  }

  async close(): Promise<void> {
    this.#abort.abort(new Error('closed'));
    clearInterval(this.#timer);
    await this.#running;
  }

  async #recover(boot: AbandonedBoot): Promise<void> {
    const { boots, clock, leaseMs, log } = this.#options;
    const redone = await this.#redoFrom(boot);
    log.info({ boot: boot.boot, entries: redone, pass: boot.passes + 1 }, 'finished what a dead process left');
    if (boot.passes > 0) await boots.remove(boot.boot);
    else await boots.finishPass(boot.boot, clock() + leaseMs);
  }

  async #redoFrom({ boot, watermark }: AbandonedBoot): Promise<number> {
    const { entries, redo } = this.#options;
    let redone = 0;
    for await (const page of entriesOfBoot(entries, boot, watermark - marginMs)) {
      await Promise.all(page.map((entry) => redo(entry, this.#abort.signal)));
      redone += page.length;
    }
    return redone;
  }
}
