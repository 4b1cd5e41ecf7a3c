import type { Logger } from '@bluewave/runtime/logger';
import { connect, DebugEvents, Events, type NatsConnection, type Subscription } from 'nats';
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
  /** How often the server is asked whether it is there, ms; when two of these have no answer it is not. */
  pingMs?: number;
};

/** Somebody who waits for the next connection. */
type Waiting = { resolve(connection: NatsConnection): void; reject(error: Error): void };

const defaultPingMs = 2_000;
const unansweredPings = 2;
/** A connection passes for alive for at most this long after its server vanished: what it took is lost. */
export const deadUnnoticedMs = defaultPingMs * (unansweredPings + 1);

/**
 * The connection to NATS, without which everything goes on: it connects in the background, reconnects for ever, and
 * says when it healed so that owners can catch up on what they did not hear. Publishing while it is down is refused,
 * not queued: the record is elsewhere.
 */
export class EventBus {
  readonly #options: EventBusOptions;
  readonly #log: Logger;
  readonly #trouble: TroubleLog;
  readonly #wanted = new Set<Wanted>();
  readonly #healed = new Set<() => void>();
  readonly #waiting: Waiting[] = [];
  #connection: NatsConnection | undefined;
  #connected = false;
  #breaks = 0;
  #closed = false;
  #retry: NodeJS.Timeout | undefined;

  constructor(options: EventBusOptions) {
    this.#options = options;
    this.#log = options.log;
    this.#trouble = new TroubleLog(options.log);
    this.#connect();
  }

  /** Whether publishes reach a server now. */
  get connected(): boolean {
    return this.#connected;
  }

  /**
   * How often the connection has broken. A server takes what one connection brings in order: when it acknowledges
   * something, it also has what was published before at the same count.
   */
  get breaks(): number {
    return this.#breaks;
  }

  /** The underlying connection once there is one; rejects when the bus closes before. It reconnects, or closes. */
  async connection(): Promise<NatsConnection> {
    if (this.#closed) throw closedError();
    if (this.#connection && !this.#connection.isClosed()) return this.#connection;
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** Core publish, at most once. @returns false when there is no connection: nothing was sent. */
  publish(subject: string, data: Uint8Array): boolean {
    const connection = this.current();
    connection?.publish(subject, data);
    return connection !== undefined;
  }

  /** The live connection for publishes with headers and replies, or undefined while down. */
  current(): NatsConnection | undefined {
    const connection = this.#connection;
    if (!this.#connected || !connection || connection.isClosed() || connection.isDraining()) return undefined;
    return connection;
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
    for (const { reject } of this.#waiting.splice(0)) reject(closedError());
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

  #connect(): void {
    const { url, name, pingMs = defaultPingMs } = this.#options;
    connect({
      ...natsServers(url),
      name,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 250,
      reconnectJitter: 250,
      timeout: 2_000,
      pingInterval: pingMs,
      maxPingOut: unansweredPings,
    }).then(
      (connection) => this.#established(connection),
      (error: unknown) => {
        if (this.#closed) return;
        this.#trouble.warn(error, 'Live delivery, notifications and media wait, messages are kept');
        this.#retry = setTimeout(() => this.#connect(), 500);
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
    void connection.closed().then(() => this.#ended());
    for (const { resolve } of this.#waiting.splice(0)) resolve(connection);
    this.#tellHealed();
  }

  async #watch(connection: NatsConnection): Promise<void> {
    for await (const { type } of connection.status()) {
      if (type === Events.Disconnect) {
        if (this.#connected) this.#log.warn('NATS connection lost');
        this.#broke();
      } else if (type === Events.Reconnect) {
        this.#connected = true;
        this.#log.info('NATS connection is back');
        this.#tellHealed();
      } else if (type === DebugEvents.StaleConnection) {
        this.#broke();
        this.#log.warn('NATS does not answer: connecting anew');
        // The client would first wait until what it sent is taken, which a host that vanished never does.
        await connection.close();
      }
    }
  }

  #broke(): void {
    this.#connected = false;
    this.#breaks += 1;
  }

  /** The client is done with its connection: it was closed here, or the server refused it more than once. */
  #ended(): void {
    this.#broke();
    if (!this.#closed) this.#connect();
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

const closedError = (): Error => new Error('the event bus was closed');
