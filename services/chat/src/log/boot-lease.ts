import type { Clock } from '@bluewave/runtime/clock';
import type { Logger } from '@bluewave/runtime/logger';
import type { Outbox } from './outbox.ts';

/** The record of one boot: who wrote, up to when everything is done, and until when it may write. */
export type BootRecord = { boot: string; watermark: number; leaseUntil: number };

export type BootStore = {
  /** Creates or renews the record, majority-committed. */
  write(record: BootRecord): Promise<void>;
  /** Removes the record of a boot that left nothing to do. */
  remove(boot: string): Promise<void>;
};

export type BootLeaseOptions = {
  store: BootStore;
  outbox: Outbox;
  clock: Clock;
  newBoot: () => string;
  log: Logger;
  /** How long a lease lasts without renewal, milliseconds. */
  leaseMs: number;
  /** How often it is renewed. */
  renewMs: number;
};

/** A write stamped within this part of the lease before its end could arrive after it: too late to begin. */
const marginPart = 0.2;

/**
 * The right of a process to write under its boot id. Others republish what a boot left once its lease has run out,
 * so a process that finds itself past its lease takes a new boot before it writes again.
 */
export class BootLease {
  readonly #options: BootLeaseOptions;
  readonly #timer: NodeJS.Timeout;
  /** The boot and the end of its lease: one value, so that no boot is ever taken with the lease of another. */
  #held = { boot: '', leaseUntil: 0 };
  #taking: Promise<void> | undefined;
  #renewing: Promise<void> | undefined;

  constructor(options: BootLeaseOptions) {
    this.#options = options;
    this.#timer = setInterval(() => {
      if (this.#held.boot && !this.#renewing) {
        this.#renewing = this.#renew().finally(() => (this.#renewing = undefined));
      }
    }, options.renewMs);
  }

  /** The boot to stamp entries with, or undefined when `take` must come first. */
  current(): string | undefined {
    const { clock, leaseMs } = this.#options;
    return clock() < this.#held.leaseUntil - leaseMs * marginPart ? this.#held.boot : undefined;
  }

  /** Takes a new boot. Rejects when the store is away: then nothing can be written anyway. */
  async take(): Promise<void> {
    this.#taking ??= this.#takeNew().finally(() => (this.#taking = undefined));
    return this.#taking;
  }

  /** Ends the lease. With nothing held the record goes; else another process finishes the rest. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.allSettled([this.#renewing, this.#taking]);
    const { boot } = this.#held;
    if (!boot) return;
    const { store, outbox, clock } = this.#options;
    if (outbox.size === 0) await store.remove(boot);
    else await store.write({ boot, watermark: outbox.watermark(), leaseUntil: clock() });
  }

  async #takeNew(): Promise<void> {
    const boot = this.#options.newBoot();
    this.#held = { boot, leaseUntil: await this.#write(boot) };
  }

  async #renew(): Promise<void> {
    // Past the lease another process may have claimed the boot: renewing it would take it back.
    const boot = this.current();
    if (boot === undefined) return;
    try {
      const leaseUntil = await this.#write(boot);
      // A renewal that took long may come back when another boot was taken.
      if (this.#held.boot === boot) this.#held = { boot, leaseUntil };
    } catch (error) {
      this.#options.log.warn({ err: error }, 'the lease of this boot could not be renewed');
    }
  }

  /** @returns the end of the lease. */
  async #write(boot: string): Promise<number> {
    const leaseUntil = this.#options.clock() + this.#options.leaseMs;
    await this.#options.store.write({ boot, watermark: this.#options.outbox.watermark(), leaseUntil });
    return leaseUntil;
  }
}
