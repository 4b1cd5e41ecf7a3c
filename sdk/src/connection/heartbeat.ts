import { toBluewaveError } from '../bluewave-error.ts';
import type { Clock } from '../environment.ts';
import type { Connection } from './connection.ts';

export type HeartbeatOptions = {
  connection: Pick<Connection, 'ask' | 'restart'>;
  clock: Clock;
  /** The last seq applied of each conversation. */
  heads(): Record<string, number>;
  /** A large answer is on its way: silence then says nothing. */
  isBusy(): boolean;
  onResync(): void;
};

const everyMs = 15_000;
const answerMs = 8_000;
/** The server takes no more heads. */
const maxHeads = 1_000;

/**
 * Tells the gateway every 15 s that this device is there and what it holds; the answer says whether something was
 * missed. A connection without answers is dropped: the network may have forgotten it.
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  #stop: (() => void) | undefined;
  #pinging = false;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  start(): void {
    this.close();
    this.#next();
  }

  /** Asks right now whether the connection is alive. */
  probe(): void {
    if (this.#stop) void this.#ping();
  }

  close(): void {
    this.#stop?.();
    this.#stop = undefined;
  }

  #next(): void {
    this.#stop = this.#options.clock.after(everyMs, () => {
      this.#next();
      void this.#ping();
    });
  }

  async #ping(): Promise<void> {
    const { connection, heads, isBusy, onResync } = this.#options;
    if (this.#pinging) return;
    this.#pinging = true;
    try {
      const held = heads();
      const payload = Object.keys(held).length > maxHeads ? {} : { heads: held };
      if ((await connection.ask('presence:ping', payload, answerMs)).resync === true) onResync();
    } catch (error) {
      // Refused is alive; gone already is being seen to.
      if (toBluewaveError(error).code === 'TIMEOUT' && !isBusy()) connection.restart();
    } finally {
      this.#pinging = false;
    }
  }
}
