import { AppError } from '@bluewave/errors/app-error';
import type { Deadline } from '@bluewave/runtime/deadline';

export type WorkPoolOptions = {
  /** Jobs at once. */
  concurrency: number;
  /** Jobs that wait; one more is refused. */
  maxQueue: number;
  /** About how long a job takes, for telling a refused caller when to come back. */
  jobMs: number;
};

type Waiting = { start(): void };

/**
 * Bounds costly work: a few jobs at once, a short queue, and beyond it an honest refusal instead of a process that
 * answers nobody.
 */
export class WorkPool {
  readonly #options: WorkPoolOptions;
  readonly #waiting: Waiting[] = [];
  #running = 0;

  constructor(options: WorkPoolOptions) {
    this.#options = options;
  }

  /** Jobs that have not begun. */
  get queued(): number {
    return this.#waiting.length;
  }

  /**
   * Runs `job` when its turn comes.
   * @throws AppError UNAVAILABLE when the queue is full, DEADLINE_EXCEEDED when its turn came too late.
   */
  async run<T>(job: () => Promise<T>, deadline: Deadline): Promise<T> {
    await this.#turn();
    try {
      if (Date.now() >= deadline) {
        throw new AppError('DEADLINE_EXCEEDED', 'The platform did not answer in time. Try again.');
      }
      return await job();
    } finally {
      this.#running -= 1;
      this.#waiting.shift()?.start();
    }
  }

  #turn(): Promise<void> | undefined {
    const { concurrency, maxQueue, jobMs } = this.#options;
    if (this.#running < concurrency) {
      this.#running += 1;
      return undefined;
    }
    if (this.#waiting.length >= maxQueue) {
      throw new AppError('UNAVAILABLE', 'Too many people log in at this moment. Try again.', {
        retryAfterMs: Math.ceil((maxQueue / concurrency) * jobMs),
      });
    }
    return new Promise((resolve) => {
      this.#waiting.push({
        start: () => {
          this.#running += 1;
          resolve();
        },
      });
    });
  }
}
