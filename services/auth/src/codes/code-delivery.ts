import type { Logger } from '@bluewave/runtime/logger';
import { pause } from '@bluewave/runtime/deadline';

export type Channel = 'email' | 'phone';
export type CodeMessage = { channel: Channel; to: string; code: string; expiresAt: number };

/** A way to bring a code to its owner. */
export type CodeSender = {
  reaches(channel: Channel): boolean;
  /** Resolves when the other side took it, rejects within 10 s when it did not. May be repeated. */
  send(message: CodeMessage): Promise<void>;
  close(): Promise<void> | void;
};

const maxInFlight = 500;
const tries = 3;
const pauseMs = 1_000;
const closeMs = 5_000;

/**
 * Delivers in the background: how long a mail server takes must not tell whether an account exists. A delivery that
 * fails for good is logged (without the address), and its owner asks for another code.
 */
export class CodeDelivery {
  readonly #senders: CodeSender[];
  readonly #log: Logger;
  readonly #inFlight = new Set<Promise<void>>();
  readonly #closing = new AbortController();

  constructor(senders: CodeSender[], log: Logger) {
    this.#senders = senders;
    this.#log = log;
  }

  reaches(channel: Channel): boolean {
    return this.#senders.some((sender) => sender.reaches(channel));
  }

  deliver(message: CodeMessage): void {
    const sender = this.#senders.find((one) => one.reaches(message.channel));
    if (!sender) return;
    if (this.#inFlight.size >= maxInFlight) {
      this.#log.error(
        { channel: message.channel, inFlight: this.#inFlight.size },
        'a code is not delivered: too many wait',
      );
      return;
    }
    const delivery = this.#send(sender, message).finally(() => this.#inFlight.delete(delivery));
    this.#inFlight.add(delivery);
  }

  /** Waits up to 5 s for deliveries under way. */
  async close(): Promise<void> {
    this.#closing.abort(new Error('closing'));
    const limit = new AbortController();
    await Promise.race([Promise.allSettled(this.#inFlight), pause(closeMs, limit.signal)]);
    limit.abort(new Error('settled'));
    for (const sender of this.#senders) await sender.close();
  }

  async #send(sender: CodeSender, message: CodeMessage): Promise<void> {
    for (let attempt = 1; attempt <= tries; attempt += 1) {
      try {
        return await sender.send(message);
      } catch (error) {
        const isLast = attempt === tries || this.#closing.signal.aborted;
        const fields = { err: error, channel: message.channel, attempt };
        if (isLast) return this.#log.error(fields, 'a one-time code could not be delivered');
        this.#log.warn(fields, 'delivering a one-time code failed; trying again');
        await pause(pauseMs * attempt, this.#closing.signal);
      }
    }
  }
}
