import type { PresenceConnection, PresenceStatus, PresenceStore } from '@bluewave/presence/presence-store';
import type { Logger } from '@bluewave/runtime/logger';

export type PresenceKeeperOptions = {
  store: PresenceStore;
  /** This gateway's boot: its connections live as long as its lease. */
  boot: string;
  log: Logger;
  /** A user's presence may have changed, `mayBeOffline` when a connection of theirs is gone. */
  onChange(userId: string, mayBeOffline: boolean): void;
  now?: () => number;
  random?: () => number;
  /** Without any sign of life for this long a connection does not count. */
  silentMs?: number;
  renewMs?: number;
  sweepMs?: number;
};

type Kept = { connection: PresenceConnection; status: 'online' | 'away'; beatAt: number; counted: boolean };

const defaultSilentMs = 30_000;
/** Often, so that a Redis that was wiped holds us again within 10 s. */
const defaultRenewMs = 3_000;
/** A dead gateway's lease lasts 15 s and its users are offline within 20 s: somebody looks this often. */
const defaultSweepMs = 2_000;
const silenceCheckMs = 2_000;
/** After the first thing that Redis did not take it is asked this soon; while it stays away, with each renewal. */
const retryMs = 500;

/**
 * Keeps this gateway's share of presence in Redis: its lease, the connections it holds, and the clean-up after gateways
 * that died. What Redis did not take while it was away is made good when it is back. Never rejects: without Redis
 * presence is unknown and everything else goes on.
 */
export class PresenceKeeper {
  readonly #options: PresenceKeeperOptions;
  readonly #now: () => number;
  readonly #kept = new Map<string, Kept>();
  /** Connections that ended while Redis did not answer. */
  readonly #owed = new Map<string, PresenceConnection>();
  /** Users of whom something was not answered: Redis may have taken it all the same, and then finds no change later. */
  #untold = new Set<string>();
  readonly #timers: NodeJS.Timeout[];
  #sweepTimer: NodeJS.Timeout | undefined;
  #retryTimer: NodeJS.Timeout | undefined;
  /** A connect was not taken: everything is told again after the next renewal. */
  #incomplete = false;
  #renewing: Promise<void> | undefined;
  #away = false;
  #closed = false;

  constructor(options: PresenceKeeperOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#timers = [
      setInterval(() => void this.renew(), options.renewMs ?? defaultRenewMs),
      setInterval(() => this.#dropSilent(), silenceCheckMs),
    ];
    for (const timer of this.#timers) timer.unref();
    this.#armSweep();
  }

  /** Connections that count. */
  get size(): number {
    return this.#kept.size;
  }

  /** Renews the lease, and tells Redis everything again when it has lost it. Call it when Redis is back. */
  renew(): Promise<void> {
    this.#renewing ??= this.#renew().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  connect(connection: PresenceConnection): void {
    const kept: Kept = { connection, status: 'online', beatAt: this.#now(), counted: true };
    this.#kept.set(connection.socketId, kept);
    this.#tell(kept);
  }

  disconnect(socketId: string): void {
    const kept = this.#kept.get(socketId);
    if (!kept) return;
    this.#kept.delete(socketId);
    if (kept.counted) this.#untell(kept.connection);
  }

  /** A sign of life. One that comes after a silence counts the connection again. */
  beat(socketId: string): void {
    const kept = this.#kept.get(socketId);
    if (!kept) return;
    kept.beatAt = this.#now();
    if (kept.counted) return;
    kept.counted = true;
    this.#tell(kept);
  }

  /** Sets online or away for one connection. */
  async setStatus(socketId: string, status: Exclude<PresenceStatus, 'offline'>): Promise<void> {
    const kept = this.#kept.get(socketId);
    if (!kept || kept.status === status) return;
    kept.status = status;
    // Silent until now: counted by this event, with the new status.
    if (!kept.counted) return this.beat(socketId);
    try {
      await this.#options.store.setStatus(this.#options.boot, kept.connection, status);
      this.#options.onChange(kept.connection.userId, false);
    } catch (error) {
      this.#missed(error, kept.connection.userId);
    }
  }

  /** Gives up the lease and all connections, so that the users of this gateway go offline at once. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const timer of this.#timers) clearInterval(timer);
    clearTimeout(this.#sweepTimer);
    clearTimeout(this.#retryTimer);
    await this.#renewing;
    this.#kept.clear();
    try {
      for (const userId of await this.#options.store.release(this.#options.boot)) {
        this.#options.onChange(userId, true);
      }
    } catch (error) {
      this.#options.log.debug({ err: error }, 'the presence lease was not given up; it runs out');
    }
  }

  async #renew(): Promise<void> {
    const { store, boot, log, onChange } = this.#options;
    const untold = this.#untold;
    this.#untold = new Set();
    try {
      const lasted = await store.renew(boot);
      await this.#payOwed();
      if (!lasted || this.#incomplete) {
        this.#incomplete = false;
        const held = [...this.#kept.values()].filter(({ counted }) => counted);
        const restored = await store.restore(
          boot,
          held.map(({ connection, status }) => ({ ...connection, status })),
        );
        if (!lasted && held.length > 0) log.info({ connections: held.length }, 'presence told again');
        for (const userId of restored) onChange(userId, false);
      }
      for (const userId of untold) onChange(userId, true);
      this.#away = false;
    } catch (error) {
      for (const userId of untold) this.#untold.add(userId);
      this.#missed(error);
    }
  }

  async #payOwed(): Promise<void> {
    for (const [socketId, connection] of this.#owed) {
      await this.#options.store.disconnect(this.#options.boot, connection);
      this.#owed.delete(socketId);
    }
  }

  #tell(kept: Kept): void {
    const { store, boot, onChange } = this.#options;
    const { connection } = kept;
    store.connect(boot, connection).then(
      // Also when they were online before: this device may be the first that is not away.
      () => onChange(connection.userId, false),
      (error: unknown) => this.#missed(error, connection.userId),
    );
    if (kept.status === 'away') this.#tellAway(kept);
  }

  #tellAway({ connection }: Kept): void {
    const { store, boot, onChange } = this.#options;
    store.setStatus(boot, connection, 'away').then(
      () => onChange(connection.userId, false),
      (error: unknown) => this.#missed(error, connection.userId),
    );
  }

  #untell(connection: PresenceConnection): void {
    const { store, boot, onChange } = this.#options;
    store.disconnect(boot, connection).then(
      // Also when it was not the last: the device that was online may be gone while one that is away stays.
      () => onChange(connection.userId, true),
      (error: unknown) => {
        this.#owed.set(connection.socketId, connection);
        this.#missed(error, connection.userId);
      },
    );
  }

  #dropSilent(): void {
    const oldest = this.#now() - (this.#options.silentMs ?? defaultSilentMs);
    for (const kept of this.#kept.values()) {
      if (!kept.counted || kept.beatAt > oldest) continue;
      kept.counted = false;
      this.#untell(kept.connection);
    }
  }

  #armSweep(): void {
    const every = this.#options.sweepMs ?? defaultSweepMs;
    // Spread, so that gateways take turns instead of racing for the same boots.
    const wait = every * (0.75 + (this.#options.random ?? Math.random)() / 2);
    this.#sweepTimer = setTimeout(() => {
      void this.#sweep().finally(() => {
        if (!this.#closed) this.#armSweep();
      });
    }, wait);
    this.#sweepTimer.unref();
  }

  async #sweep(): Promise<void> {
    try {
      for (const userId of await this.#options.store.sweep()) this.#options.onChange(userId, false);
    } catch (error) {
      this.#missed(error);
    }
  }

  #missed(error: unknown, userId?: string): void {
    this.#incomplete = true;
    if (userId !== undefined) this.#untold.add(userId);
    if (this.#away) return;
    this.#away = true;
    this.#options.log.warn({ err: error }, 'presence cannot be kept; it is told again later');
    if (this.#closed) return;
    this.#retryTimer = setTimeout(() => void this.renew(), retryMs);
    this.#retryTimer.unref();
  }
}
