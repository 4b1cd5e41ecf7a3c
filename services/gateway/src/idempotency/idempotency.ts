import { AppError } from '@bluewave/errors/app-error';
import type { Logger } from '@bluewave/runtime/logger';
import type { Redis } from 'ioredis';
import {
  type IdempotentRequest,
  type KeptAnswer,
  openAnswer,
  sealAnswer,
  type Secrets,
  secretsOf,
} from './sealed-answer.ts';

/** First answers are kept this long. */
const keepSeconds = 24 * 3_600;
/** After this a request that never ended no longer blocks its key: its process died. */
const runningMs = 30_000;
/** Keys of callers without an account must be hard to guess: they alone guard the answer. */
const minPublicKey = 16;

type Held = { fingerprint: string; sealed: string | null };

/**
 * `Idempotency-Key`: the first answer of a request is kept for 24 h and given again to repeats. Answers that a repeat
 * may change (429, 5xx, 401) are not kept. What is kept is sealed with the key itself: the store holds no content.
 * While Redis is away requests go on without.
 */
export class Idempotency {
  readonly #redis: Redis;
  readonly #log: Logger;

  constructor(options: { redis: Redis; log: Logger }) {
    this.#redis = options.redis;
    this.#log = options.log;
  }

  /**
   * Runs `handle` at most once for a key. @throws IDEMPOTENCY_MISMATCH when the key was used for another request,
   * REQUEST_IN_PROGRESS while the first is under way, VALIDATION_FAILED for a key that is none, and what the first
   * answer was when that was an error.
   */
  async run(request: IdempotentRequest, handle: () => Promise<KeptAnswer>): Promise<KeptAnswer> {
    demandKey(request.key);
    if (request.scope === 'public' && request.key.length < minPublicKey) return handle();
    const secrets = secretsOf(request);
    const name = `bluewave:idempotency:{${secrets.name}}`;
    const running: Held = { fingerprint: secrets.fingerprint, sealed: null };
    let held: Held | 'first';
    try {
      held = await this.#claim(name, running);
    } catch (error) {
      this.#log.warn({ err: error }, 'answers to repeats cannot be read; going on without');
      return handle();
    }
    if (held === 'first') return this.#first(name, secrets, handle);
    return repeat(held, secrets);
  }

  async #claim(name: string, running: Held): Promise<Held | 'first'> {
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const set = await this.#redis.set(name, JSON.stringify(running), 'PX', runningMs, 'NX');
      if (set === 'OK') return 'first';
      const text = await this.#redis.get(name);
      // Gone in between: the first request ended without an answer to keep.
      if (text !== null) return JSON.parse(text) as Held;
    }
    return running;
  }

  async #first(name: string, secrets: Secrets, handle: () => Promise<KeptAnswer>): Promise<KeptAnswer> {
    let answer: KeptAnswer | AppError;
    try {
      answer = await handle();
    } catch (error) {
      if (error instanceof AppError && isDefinitive(error)) answer = error;
      else {
        await this.#store(() => this.#redis.del(name));
        throw error;
      }
    }
    const held: Held = { fingerprint: secrets.fingerprint, sealed: sealAnswer(secrets, answer) };
    await this.#store(() => this.#redis.set(name, JSON.stringify(held), 'EX', keepSeconds));
    if (answer instanceof AppError) throw answer;
    return answer;
  }

  async #store(write: () => Promise<unknown>): Promise<void> {
    try {
      await write();
    } catch (error) {
      this.#log.warn({ err: error }, 'an answer could not be kept for repeats');
    }
  }
}

function repeat(held: Held, secrets: Secrets): KeptAnswer {
  if (held.fingerprint !== secrets.fingerprint) {
    throw new AppError('IDEMPOTENCY_MISMATCH', 'This Idempotency-Key was used for another request. Take a new one.');
  }
  if (held.sealed === null) {
    throw new AppError('REQUEST_IN_PROGRESS', 'The first request with this Idempotency-Key is under way.', {
      retryAfterMs: 500,
    });
  }
  const answer = openAnswer(secrets, held.sealed);
  if (answer instanceof AppError) throw answer;
  return { ...answer, headers: { ...answer.headers, 'idempotency-replayed': 'true' } };
}

/** Whether a repeat of the request could only get the same refusal. */
function isDefinitive(error: AppError): boolean {
  return !error.retryable && error.httpStatus < 500 && error.httpStatus !== 401;
}

function demandKey(key: string): void {
  if (/^[\x21-\x7e]{1,255}$/.test(key)) return;
  throw new AppError('VALIDATION_FAILED', 'An Idempotency-Key has 1 to 255 visible ASCII characters.', {
    fields: [{ path: 'idempotency-key', code: 'invalid_format', message: 'must have 1 to 255 visible characters' }],
  });
}
