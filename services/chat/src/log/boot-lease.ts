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

/** A write stamped within this time before the end of the lease could arrive after it: too late to begin. */
const marginMs = 2_000;

/**
 * The right of a process to write under its boot id. Others republish what a boot left once its lease has run out,
 * so a process that finds itself past its lease takes a new boot before it writes again.
 */
export class BootLease {
  readonly #options: BootLeaseOptions;
  readonly #timer: NodeJS.Timeout;
  #boot = '';
  #leaseUntil = 0;
  #taking: Promise<void> | undefined;
  #renewing: Promise<void> | undefined;

  constructor(options: BootLeaseOptions) {
    this.#options = options;
    this.#timer = setInterval(() => {
      if (this.#boot && !this.#renewing) {
        this.#renewing = this.#renew().finally(() => (this.#renewing = undefined));
      }
    }, options.renewMs);
  }

  /** The boot to stamp entries with, or undefined when `take` must come first. */
  current(): string | undefined {
    return this.#options.clock() < this.#leaseUntil - marginMs ? this.#boot : undefined;
  }

  /** Takes a new boot. Rejects when the store is away: then nothing can be written anyway. */
  async take(): Promise<void> {
    this.#taking ??= this.#takeNew().finally(() => (this.#taking = undefined));
    return this.#taking;
  }

  /** Ends the lease. With nothing held the record goes; else another process finishes the rest. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#renewing;
    if (!this.#boot) return;
    const { store, outbox } = this.#options;
    if (outbox.size === 0) await store.remove(this.#boot);
    else await store.write({ boot: this.#boot, watermark: outbox.watermark(), leaseUntil: this.#options.clock() });
  }

  async #takeNew(): Promise<void> {
    const boot = this.#options.newBoot();
    await this.#write(boot);
    this.#boot = boot;
  }

  async #renew(): Promise<void> {
    // Past the lease another process may have claimed the boot: renewing it would take it back.
    if (this.current() === undefined) return;
    try {
      await this.#write(this.#boot);
    } catch (error) {
      this.#options.log.warn({ err: error }, 'the lease of this boot could not be renewed');
    }
  }

  async #write(boot: string): Promise<void> {
    const leaseUntil = this.#options.clock() + this.#options.leaseMs;
    await this.#options.store.write({ boot, watermark: this.#options.outbox.watermark(), leaseUntil });
    this.#leaseUntil = leaseUntil;
  }
}
