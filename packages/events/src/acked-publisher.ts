import { headers, type Msg, type MsgHdrs, type NatsConnection, type Subscription } from 'nats';
import type { EventBus } from './event-bus.ts';

export type PublishOutcome = 'acked' | 'failed';

type Pending = { done(outcome: PublishOutcome): void; sentAt: number };

const ackTimeoutMs = 3_000;
const sweepMs = 500;

/**
 * JetStream publishes without the client's per-call machinery: a core publish with a reply inbox, acknowledgements
 * gathered by one subscription. A tenth of the cost of the client's own publish (see docs/performance.md).
 */
export class AckedPublisher {
  readonly #bus: EventBus;
  readonly #pending = new Map<string, Pending>();
  readonly #prefix: string;
  readonly #sweeper: NodeJS.Timeout;
  #inbox: { connection: NatsConnection; subscription: Subscription } | undefined;
  #next = 0;

  /** @param inboxPrefix unique to this process, e.g. `_INBOX.<boot id>`. */
  constructor(bus: EventBus, inboxPrefix: string) {
    this.#bus = bus;
    this.#prefix = inboxPrefix;
    this.#sweeper = setInterval(() => this.#sweep(), sweepMs);
    this.#sweeper.unref();
  }

  /** Publishes that are not settled. */
  get pending(): number {
    return this.#pending.size;
  }

  /**
   * Publishes once. `done` is called with `acked` when the stream holds the message (a repeat with the same
   * `messageId`, if it has one, within the stream's window is held once), or with `failed` when that is not known after 3 s.
   */
  publish(
    subject: string,
    messageId: string | undefined,
    data: Uint8Array,
    done: (outcome: PublishOutcome) => void,
  ): void {
    const connection = this.#bus.current();
    if (!connection) return done('failed');
    this.#listen(connection);
    const key = (this.#next++).toString(36);
    this.#pending.set(key, { done, sentAt: Date.now() });
    const reply = `${this.#prefix}.${key}`;
    try {
      connection.publish(subject, data, messageId === undefined ? { reply } : { reply, headers: idHeader(messageId) });
    } catch {
      // The connection closed between the check and the call: the same as not being connected.
      this.#settle(key, 'failed');
    }
  }

  close(): void {
    clearInterval(this.#sweeper);
    this.#inbox?.subscription.unsubscribe();
    for (const key of [...this.#pending.keys()]) this.#settle(key, 'failed');
  }

  #listen(connection: NatsConnection): void {
    if (this.#inbox?.connection === connection) return;
    const subscription = connection.subscribe(`${this.#prefix}.*`, {
      callback: (error, message) => {
        if (!error) this.#acknowledge(message);
      },
    });
    this.#inbox = { connection, subscription };
  }

  #acknowledge(message: Msg): void {
    const key = message.subject.slice(this.#prefix.length + 1);
    // A status header (503: no stream listens) or an error in the body is no acknowledgement.
    const refused = message.headers?.hasError === true || /^\s*\{\s*"error"/.test(message.string());
    this.#settle(key, refused ? 'failed' : 'acked');
  }

  #settle(key: string, outcome: PublishOutcome): void {
    const pending = this.#pending.get(key);
    if (!pending) return;
    this.#pending.delete(key);
    pending.done(outcome);
  }

  #sweep(): void {
    const oldest = Date.now() - ackTimeoutMs;
    for (const [key, pending] of this.#pending) {
      // Insertion order is time order: the first young one ends the search.
      if (pending.sentAt > oldest) return;
      this.#settle(key, 'failed');
    }
  }
}

function idHeader(messageId: string): MsgHdrs {
  const head = headers();
  head.set('Nats-Msg-Id', messageId);
  return head;
}
