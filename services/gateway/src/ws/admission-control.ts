import { AppError, toAppError } from '@bluewave/errors/app-error';

export type AdmissionControlOptions = {
  now: () => number;
  random: () => number;
};

type Waiting = { since: number; begin(): void; refuse(error: AppError): void };

/** Handshakes that are served at once: this many to begin with, fewer when they run out of time, more when they do not. */
const firstSlots = 32;
const mostSlots = 128;
const fewestSlots = 2;
/** Who would have to wait longer than this is sent away at once: their time for a handshake is short. */
const maxWaitMs = 1_500;
const firstDurationMs = 20;
/** Weight of the latest duration. */
const smoothing = 0.1;
const soonestMs = 500;
const latestMs = 30_000;

/**
 * Lets a storm of connections in at the pace at which they can be served. A few are served at once and a short queue
 * waits; all others are sent away at once with a time to come back, each with a time of its own, spaced by the pace that
 * is measured. Without that every handshake of a storm would run out of time, be tried again, and none would succeed.
 */
export class AdmissionControl {
  readonly #options: AdmissionControlOptions;
  readonly #queue: Waiting[] = [];
  #active = 0;
  #slots = firstSlots;
  #durationMs = firstDurationMs;
  #slowedAt = 0;
  /** Up to when the times to come back are given away. */
  #bookedUntil = 0;

  constructor(options: AdmissionControlOptions) {
    this.#options = options;
  }

  /**
   * Does the work of a handshake, now or within a short wait.
   *
   * @param isWanted asked before it begins: whoever has gone meanwhile costs nothing
   * @throws UNAVAILABLE with `retryAfterMs` when too many are before it; what the work throws, with a time to come back
   *   when it can be tried again
   */
  async run<T>(work: () => Promise<T>, isWanted: () => boolean): Promise<T> {
    await this.#enter();
    const startedAt = this.#options.now();
    try {
      if (!isWanted()) throw new AppError('UNAVAILABLE', 'The connection has gone.', { retryAfterMs: soonestMs });
      const result = await work();
      this.#note(this.#options.now() - startedAt);
      this.#slots = Math.min(mostSlots, this.#slots + 1 / this.#slots);
      return result;
    } catch (thrown) {
      throw this.#withTime(toAppError(thrown), startedAt);
    } finally {
      this.#leave();
    }
  }

  /** Work that failed for now is to be tried again at a time of its own; that it ran out of time says: fewer at once. */
  #withTime(error: AppError, startedAt: number): AppError {
    if (!error.retryable || error.retryAfterMs !== undefined) return error;
    if (error.code === 'DEADLINE_EXCEEDED') this.#slowDown(startedAt);
    return new AppError(error.code, error.detail, { cause: error, retryAfterMs: this.#book() });
  }

  #slowDown(startedAt: number): void {
    // Once for all that were under way together.
    if (startedAt < this.#slowedAt) return;
    this.#slowedAt = this.#options.now();
    this.#note(this.#slowedAt - startedAt);
    this.#slots = Math.max(fewestSlots, this.#slots / 2);
  }

  #note(durationMs: number): void {
    this.#durationMs += (durationMs - this.#durationMs) * smoothing;
  }

  /** Between two handshakes, as things stand. */
  get #pace(): number {
    return this.#durationMs / this.#slots;
  }

  #enter(): Promise<void> {
    if (this.#active < Math.floor(this.#slots)) {
      this.#active += 1;
      return Promise.resolve();
    }
    if ((this.#queue.length + 1) * this.#pace > maxWaitMs) return Promise.reject(this.#sendAway());
    return new Promise((begin, refuse) => void this.#queue.push({ since: this.#options.now(), begin, refuse }));
  }

  #leave(): void {
    this.#active -= 1;
    while (this.#active < Math.floor(this.#slots)) {
      const next = this.#queue.shift();
      if (!next) return;
      if (this.#options.now() - next.since > maxWaitMs) next.refuse(this.#sendAway());
      else {
        this.#active += 1;
        next.begin();
      }
    }
  }

  #sendAway(): AppError {
    const retryAfterMs = this.#book();
    return new AppError('UNAVAILABLE', 'Too many are connecting at once. Connect again.', { retryAfterMs });
  }

  /** The next time that nobody else was given. Beyond the latest they are spread over the second half before it. */
  #book(): number {
    const { now, random } = this.#options;
    const at = now();
    const wait = Math.max(this.#bookedUntil - at, soonestMs) + this.#pace;
    if (wait > latestMs) return Math.round(latestMs * (0.5 + random() / 2));
    this.#bookedUntil = at + wait;
    return Math.round(wait);
  }
}
