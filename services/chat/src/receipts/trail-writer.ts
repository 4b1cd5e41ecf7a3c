import type { Logger } from '@bluewave/runtime/logger';
import type { PointerMove } from './pointer-writer.ts';

/** A pointer was at `s` by the time `at` (milliseconds since the epoch). */
export type Step = { s: number; at: number };
/** The last steps of a member's pointers, in the order in which they were made. */
export type Trail = { conversationId: string; userId: string; read: Step[]; delivered: Step[] };

export type TrailStore = {
  /** Adds steps to trails and forgets the oldest; not awaited by anybody who moves a pointer. */
  append(trails: readonly Trail[]): Promise<void>;
};

export type TrailWriterOptions = {
  store: TrailStore;
  log: Logger;
  /** Steps of one member within this time, in milliseconds, are one. */
  everyMs?: number;
};

/** Trails that wait at most; what comes beyond that is forgotten. */
const mostWaiting = 50_000;
const writtenAtOnce = 1_000;

/**
 * Notes when pointers moved, for who asks when a message was read. Gathered and written now and then, so that it costs
 * a move nothing; what was not written when a process dies is lost, and the member's last move tells the time instead.
 */
export class TrailWriter {
  readonly #options: TrailWriterOptions;
  readonly #timer: NodeJS.Timeout;
  #waiting = new Map<string, Trail>();
  #writing: Promise<void> = Promise.resolve();

  constructor(options: TrailWriterOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.flush(), options.everyMs ?? 1_000);
    this.#timer.unref();
  }

  note({ conversationId, userId, readSeq, deliveredSeq, readAt, deliveredAt }: PointerMove): void {
    const key = `${conversationId}/${userId}`;
    const trail = this.#waiting.get(key);
    if (!trail && this.#waiting.size >= mostWaiting) return;
    this.#waiting.set(key, {
      conversationId,
      userId,
      read: readAt === undefined ? (trail?.read ?? []) : [{ s: readSeq, at: readAt }],
      delivered: deliveredAt === undefined ? (trail?.delivered ?? []) : [{ s: deliveredSeq, at: deliveredAt }],
    });
  }

  /** Writes what waits. Never rejects. */
  flush(): Promise<void> {
    if (this.#waiting.size === 0) return this.#writing;
    const trails = [...this.#waiting.values()];
    this.#waiting = new Map();
    this.#writing = this.#writing.then(() => this.#write(trails));
    return this.#writing;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.flush();
  }

  async #write(trails: readonly Trail[]): Promise<void> {
    for (let start = 0; start < trails.length; start += writtenAtOnce) {
      try {
        await this.#options.store.append(trails.slice(start, start + writtenAtOnce));
      } catch (error) {
        this.#options.log.warn({ err: error }, 'when pointers moved could not be noted');
      }
    }
  }
}
