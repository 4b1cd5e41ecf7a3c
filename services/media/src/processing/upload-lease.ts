import type { Clock } from '@bluewave/runtime/clock';
import type { UploadStore } from '../uploads/upload-store.ts';
import type { Upload } from '../uploads/upload.ts';

export type LeaseParts = { store: UploadStore; clock: Clock };

/** After a lease ended: when the sweeper gives the work to somebody else. */
const graceMs = 1_000;

/** A record as it is while a worker has it, from `now` on. */
export function leased(upload: Upload, now: number, leaseMs: number): Upload {
  return { ...upload, leaseUntil: now + leaseMs, dueAt: now + leaseMs + graceMs };
}

/**
 * Keeps an upload for one worker for as long as its work takes, by renewing a short lease: when the process dies,
 * others need not wait for longer than that.
 */
export class UploadLease {
  readonly #parts: LeaseParts;
  readonly #leaseMs: number;
  readonly #timer: NodeJS.Timeout;
  #held: Upload | undefined;
  #renewal: Promise<void> | undefined;

  /** @param claimed the record as saved with its lease. */
  constructor(parts: LeaseParts, leaseMs: number, claimed: Upload) {
    this.#parts = parts;
    this.#leaseMs = leaseMs;
    this.#held = claimed;
    this.#timer = setInterval(() => this.#renew(), leaseMs / 3);
  }

  /** Renews no more. @returns the record as this worker has it, or undefined when somebody else changed it. */
  async release(): Promise<Upload | undefined> {
    clearInterval(this.#timer);
    await this.#renewal;
    return this.#held;
  }

  #renew(): void {
    if (this.#renewal || !this.#held) return;
    const { store, clock } = this.#parts;
    const now = clock();
    this.#renewal = store
      .save(leased(this.#held, now, this.#leaseMs), { deadline: now + this.#leaseMs })
      .then(
        (saved) => void (this.#held = saved),
        // Not known whether it was renewed: the next one, or the outcome of the work, shows it.
        () => undefined,
      )
      .finally(() => (this.#renewal = undefined));
  }
}
