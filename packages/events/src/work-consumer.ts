import type { Logger } from '@bluewave/runtime/logger';
import { pause } from '@bluewave/runtime/deadline';
import { AckPolicy, type ConsumerMessages, DeliverPolicy, type JsMsg, nanos, type NatsConnection } from 'nats';
import type { EventBus } from './event-bus.ts';
import { ensureConsumer } from './ensure-consumer.ts';
import { ensureStream } from './ensure-stream.ts';
import { TroubleLog } from './nats-trouble.ts';
import type { StreamDefinition } from './subjects.ts';

/** What becomes of a message: done, again after a while, or never again. */
export type WorkOutcome = { kind: 'done' } | { kind: 'retry'; afterMs: number } | { kind: 'drop'; reason: string };

export type Work = { subject: string; data: Uint8Array; attempt: number; streamSeq: number };

export type WorkConsumerOptions = {
  bus: EventBus;
  stream: StreamDefinition;
  /** Only this subject of the stream; consumers of one work queue must not overlap. Default: all of it. */
  subject?: string;
  /** Copies of the stream in a NATS cluster. */
  replicas: number;
  /** Name of the durable consumer; its processes share the work. */
  durable: string;
  /** Where a durable consumer that is made anew begins: at the oldest message that is kept (default), or at the next. */
  from?: 'oldest' | 'next';
  /** Messages handled at once by this process. */
  concurrency: number;
  /** A handler that takes longer loses its message to another attempt. */
  ackWaitMs: number;
  log: Logger;
  /** Must be idempotent: work arrives at least once. What it throws means retry with back-off. */
  handle(work: Work): Promise<WorkOutcome>;
};

/**
 * Takes work from a stream for as long as it lives: makes stream and durable consumer when they are missing (also
 * after the server lost them), survives reconnects.
 */
export class WorkConsumer {
  readonly #options: WorkConsumerOptions;
  readonly #abort = new AbortController();
  readonly #trouble: TroubleLog;
  readonly #running = new Set<Promise<void>>();
  readonly #loop: Promise<void>;
  #messages: ConsumerMessages | undefined;
  #slotFreed: (() => void) | undefined;

  constructor(options: WorkConsumerOptions) {
    this.#options = options;
    this.#trouble = new TroubleLog(options.log);
    this.#loop = this.#run();
  }

  /** Stops taking work and waits up to 5 s for what is under way. */
  async close(): Promise<void> {
    this.#abort.abort(new Error('closed'));
    this.#messages?.stop();
    const limit = new AbortController();
    const late = pause(5_000, limit.signal);
    await Promise.race([Promise.allSettled([this.#loop, ...this.#running]), late]);
    limit.abort();
  }

  async #run(): Promise<void> {
    const { bus, durable } = this.#options;
    const { signal } = this.#abort;
    const trouble = this.#trouble;
    const closed = new Promise<never>((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    while (!signal.aborted) {
      try {
        await this.#consume(await Promise.race([bus.connection(), closed]));
      } catch (error) {
        if (signal.aborted) return;
        trouble.warn(error, `${durable} takes no work meanwhile, which is kept`);
        await pause(1_000, signal);
      }
    }
  }

  async #consume(connection: NatsConnection): Promise<void> {
    const { stream, subject, durable, concurrency, ackWaitMs, replicas } = this.#options;
    const jsm = await connection.jetstreamManager();
    await ensureStream(jsm, stream, replicas);
    await ensureConsumer(jsm, stream.name, {
      durable_name: durable,
      ...(subject === undefined ? {} : { filter_subject: subject }),
      ack_policy: AckPolicy.Explicit,
      deliver_policy: this.#options.from === 'next' ? DeliverPolicy.New : DeliverPolicy.All,
      ack_wait: nanos(ackWaitMs),
      max_ack_pending: 20_000,
      max_deliver: -1,
    });
    const consumer = await connection.jetstream().consumers.get(stream.name, durable);
    const messages = await consumer.consume({
      max_messages: concurrency,
      idle_heartbeat: 5_000,
      expires: 15_000,
      // A server that lost its data lost stream and consumer: end, so that they are made again.
      abort_on_missing_resource: true,
    });
    this.#messages = messages;
    if (this.#abort.signal.aborted) return messages.stop();
    // The client would wait for more of it for ever.
    void connection.closed().then(() => messages.stop());
    this.#trouble.over(`${durable} takes work now`);
    for await (const message of messages) {
      const work = this.#handle(message).finally(() => {
        this.#running.delete(work);
        this.#slotFreed?.();
      });
      this.#running.add(work);
      // One promise for whichever ends first: a race over all of them would cost more than the work.
      if (this.#running.size >= concurrency) await new Promise<void>((resolve) => (this.#slotFreed = resolve));
    }
  }

  async #handle(message: JsMsg): Promise<void> {
    const { log } = this.#options;
    const outcome = await this.#outcomeOf(message);
    try {
      if (outcome.kind === 'done') message.ack();
      else if (outcome.kind === 'retry') message.nak(outcome.afterMs);
      else {
        log.warn({ reason: outcome.reason, subject: message.subject }, 'work dropped');
        message.term(outcome.reason);
      }
    } catch (error) {
      log.warn({ err: error, subject: message.subject }, 'an outcome could not be told; the work will come again');
    }
  }

  async #outcomeOf(message: JsMsg): Promise<WorkOutcome> {
    const attempt = message.info.redeliveryCount;
    const { subject, data, seq: streamSeq } = message;
    try {
      return await this.#options.handle({ subject, data, attempt, streamSeq });
    } catch (error) {
      this.#options.log.error({ err: error, subject, attempt }, 'work failed; it will be tried again');
      return { kind: 'retry', afterMs: Math.min(30_000, 250 * 2 ** Math.min(attempt, 7)) };
    }
  }
}
