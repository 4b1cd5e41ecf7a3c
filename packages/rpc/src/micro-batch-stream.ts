import type { ClientDuplexStream } from '@grpc/grpc-js';
import { AppError } from '@bluewave/errors/app-error';

type Pending<Reply> = {
  resolve(reply: Reply): void;
  reject(error: AppError): void;
  timer: NodeJS.Timeout;
};

export type MicroBatchOptions<Command, Reply> = {
  /** Opens the stream; called again after it broke. */
  open(): ClientDuplexStream<{ commands: Command[] }, { replies: Reply[] }>;
  service: string;
  /** Commands in one message. */
  maxBatch?: number;
};

/**
 * Pipelines commands over one long-lived stream in micro-batches: what is asked within one turn of the event loop
 * travels as one message. Replies are matched by id and come in any order. When the stream breaks, the outcome of
 * what was not answered is unknown: it is rejected as UNAVAILABLE, which callers of idempotent commands repeat.
 */
export class MicroBatchStream<Command extends { id: number }, Reply extends { id: number }> {
  readonly #options: MicroBatchOptions<Command, Reply>;
  readonly #pending = new Map<number, Pending<Reply>>();
  #stream: ClientDuplexStream<{ commands: Command[] }, { replies: Reply[] }> | undefined;
  #queue: Command[] = [];
  #nextId = 1;
  #flushing = false;
  #closed = false;

  constructor(options: MicroBatchOptions<Command, Reply>) {
    this.#options = options;
  }

  /** Sends one command; settles with its reply, or rejects with an AppError after `timeoutMs` at the latest. */
  ask(makeCommand: (id: number) => Command, timeoutMs: number): Promise<Reply> {
    if (this.#closed) return Promise.reject(this.#broken());
    const id = this.#nextId;
    this.#nextId = id === 0xffff_ffff ? 1 : id + 1;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        reject(new AppError('DEADLINE_EXCEEDED', 'The platform did not answer in time. Try again.'));
      }, timeoutMs);
      this.#pending.set(id, { resolve, reject, timer });
      this.#queue.push(makeCommand(id));
      if (!this.#flushing) {
        this.#flushing = true;
        setImmediate(() => this.#flush());
      }
    });
  }

  close(): void {
    this.#closed = true;
    const stream = this.#stream;
    this.#stream = undefined;
    stream?.end();
    stream?.cancel();
    this.#failAll(this.#broken());
  }

  #flush(): void {
    this.#flushing = false;
    if (this.#closed || this.#queue.length === 0) return;
    const stream = (this.#stream ??= this.#listen());
    const max = this.#options.maxBatch ?? 64;
    const queue = this.#queue;
    this.#queue = [];
    for (let start = 0; start < queue.length; start += max) stream.write({ commands: queue.slice(start, start + max) });
  }

  #listen(): ClientDuplexStream<{ commands: Command[] }, { replies: Reply[] }> {
    const stream = this.#options.open();
    stream.on('data', (batch: { replies: Reply[] }) => {
      for (const reply of batch.replies) this.#settle(reply);
    });
    const lost = (cause?: unknown): void => {
      if (this.#stream !== stream) return;
      this.#stream = undefined;
      this.#failAll(this.#broken(cause));
    };
    stream.on('error', lost);
    stream.on('end', () => lost());
    return stream;
  }

  #settle(reply: Reply): void {
    const pending = this.#pending.get(reply.id);
    if (!pending) return;
    this.#pending.delete(reply.id);
    clearTimeout(pending.timer);
    pending.resolve(reply);
  }

  #failAll(error: AppError): void {
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    this.#queue = [];
    for (const one of pending) {
      clearTimeout(one.timer);
      one.reject(error);
    }
  }

  #broken(cause?: unknown): AppError {
    return new AppError('UNAVAILABLE', `The ${this.#options.service} service cannot be reached. Try again.`, {
      cause,
      retryAfterMs: 200,
    });
  }
}
