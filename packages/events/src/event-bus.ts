import type { Logger } from '@bluewave/runtime/logger';
import { connect, Events, type NatsConnection, type Subscription } from 'nats';
import { natsServers } from './nats-servers.ts';
import { TroubleLog } from './nats-trouble.ts';

export type Heard = { subject: string; data: Uint8Array };
export type BusSubscription = { close(): void };

type Wanted = {
  subject: string;
  queue: string | undefined;
  hear(heard: Heard): void;
  live: Subscription | undefined;
};

export type EventBusOptions = {
  /** One or several `nats://` URLs, comma separated; credentials may be in them. */
  url: string;
  /** Shown in the server's connection list. */
  name: string;
  log: Logger;
};

/**
 * The connection to NATS, without which everything goes on: it connects in the background, reconnects for ever, and
 * says when it healed so that owners can catch up on what they did not hear. Publishing while it is down is refused,
 * not queued: the record is elsewhere.
 */
export class EventBus {
  readonly #log: Logger;
  readonly #trouble: TroubleLog;
  readonly #wanted = new Set<Wanted>();
  readonly #healed = new Set<() => void>();
  readonly #ready: Promise<NatsConnection>;
  #resolveReady: (connection: NatsConnection) => void = () => undefined;
  #rejectReady: (error: Error) => void = () => undefined;
  #connection: NatsConnection | undefined;
  #connected = false;
  #closed = false;
  #retry: NodeJS.Timeout | undefined;

  constructor(options: EventBusOptions) {
    this.#log = options.log;
    this.#trouble = new TroubleLog(options.log);
    this.#ready = new Promise((resolve, reject) => {
      this.#resolveReady = resolve;
      this.#rejectReady = reject;
    });
    // Nobody may be waiting when the bus closes before it ever connected.
    this.#ready.catch(() => undefined);
    this.#connect(options);
  }

  /** Whether publishes reach a server now. */
  get connected(): boolean {
    return this.#connected;
  }

  /** The underlying connection once there is one; rejects when the bus closes before. */
  connection(): Promise<NatsConnection> {
    return this.#ready;
  }

  /** Core publish, at most once. @returns false when there is no connection: nothing was sent. */
  publish(subject: string, data: Uint8Array): boolean {
    if (!this.#connected || !this.#connection) return false;
    this.#connection.publish(subject, data);
    return true;
  }

  /** The live connection for publishes with headers and replies, or undefined while down. */
  current(): NatsConnection | undefined {
    return this.#connected ? this.#connection : undefined;
  }

  /**
   * Hears a subject (wildcards allowed) from now on, over all reconnects. `hear` must not throw; what it throws is
   * logged. With `queue`, one member of the group hears each message.
   */
  subscribe(subject: string, hear: (heard: Heard) => void, queue?: string): BusSubscription {
    const wanted: Wanted = { subject, queue, hear, live: undefined };
    this.#wanted.add(wanted);
    if (this.#connection) this.#start(wanted, this.#connection);
    return {
      close: () => {
        this.#wanted.delete(wanted);
        wanted.live?.unsubscribe();
      },
    };
  }

  /**
   * Calls back after each time the connection came (back), and soon if it stands already; messages in between were
   * not heard.
   */
  onHealed(listener: () => void): BusSubscription {
    this.#healed.add(listener);
    if (this.#connected) queueMicrotask(listener);
    return { close: () => void this.#healed.delete(listener) };
  }

  /** Sends what was published and closes, within 3 s. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#rejectReady(new Error('the event bus was closed'));
    const connection = this.#connection;
    if (!connection || connection.isClosed()) return;
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, 3_000);
    });
    await Promise.race([this.#connected ? connection.drain().catch(() => undefined) : Promise.resolve(), limit]);
    clearTimeout(timer);
    if (!connection.isClosed()) await connection.close();
  }

  #connect(options: EventBusOptions): void {
    connect({
      ...natsServers(options.url),
      name: options.name,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 250,
      reconnectJitter: 250,
      timeout: 2_000,
      pingInterval: 5_000,
      maxPingOut: 2,
    }).then(
      (connection) => this.#established(connection),
      (error: unknown) => {
        if (this.#closed) return;
        this.#trouble.warn(error, 'Live delivery, notifications and media wait, messages are kept');
        this.#retry = setTimeout(() => this.#connect(options), 500);
      },
    );
  }

  #established(connection: NatsConnection): void {
    if (this.#closed) return void connection.close();
    this.#connection = connection;
    this.#connected = true;
    this.#trouble.over('NATS answers now');
    for (const wanted of this.#wanted) this.#start(wanted, connection);
    this.#watch(connection).catch((error: unknown) => this.#log.error({ err: error }, 'NATS status ended'));
    this.#resolveReady(connection);
    this.#tellHealed();
  }

  async #watch(connection: NatsConnection): Promise<void> {
    for await (const status of connection.status()) {
      if (status.type === Events.Disconnect) {
        this.#connected = false;
        this.#log.warn('NATS connection lost');
      } else if (status.type === Events.Reconnect) {
        this.#connected = true;
        this.#log.info('NATS connection is back');
        this.#tellHealed();
      }
    }
    this.#connected = false;
  }

  #tellHealed(): void {
    for (const listener of this.#healed) listener();
  }

  #start(wanted: Wanted, connection: NatsConnection): void {
    wanted.live = connection.subscribe(wanted.subject, {
      ...(wanted.queue === undefined ? {} : { queue: wanted.queue }),
      callback: (error, message) => {
        if (error) return this.#log.error({ err: error, subject: wanted.subject }, 'subscription failed');
        try {
          wanted.hear({ subject: message.subject, data: message.data });
        } catch (thrown) {
          this.#log.error({ err: thrown, subject: message.subject }, 'an event could not be handled');
        }
      },
    });
  }
}
