import { AppError } from '@bluewave/errors/app-error';
import type { Logger } from '@bluewave/runtime/logger';
import type { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';
import { type RateLimit, type RateVerdict, takeFromWindow, verdictOf, type WindowState } from './sliding-window.ts';

export type RateLimiterOptions = {
  redis: Redis;
  log: Logger;
  /** False lifts every limit (RATE_LIMITS=off). */
  enabled: boolean;
  now?: () => number;
};

/** What to do while the shared counters cannot be read: count in this process alone, or refuse. */
export type WhenUnreadable = 'local' | 'refuse';

/** How long Redis is left alone after it could not be read. */
const pauseMs = 1_000;
/** Counters of this process held at most, for while Redis is away. */
const localKeys = 50_000;

/**
 * Takes one and answers {allowed, current, previous, elapsed}. The clock is that of Redis: gateways agree on it.
 * KEYS[1] the counter, a hash of window (w), current (c) and previous (p); ARGV max and window milliseconds.
 */
const takeScript = `
local max, size = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local window = math.floor(now / size)
local held = redis.call('HMGET', KEYS[1], 'w', 'c', 'p')
local at, current, previous = tonumber(held[1]), tonumber(held[2]) or 0, tonumber(held[3]) or 0
if at ~= window then
  previous = (at == window - 1) and current or 0
  current = 0
end
local elapsed = now - window * size
local allowed = current + previous * (1 - elapsed / size) + 1 <= max
if allowed then
  current = current + 1
  redis.call('HSET', KEYS[1], 'w', window, 'c', current, 'p', previous)
  redis.call('PEXPIRE', KEYS[1], 2 * size)
end
return {allowed and 1 or 0, current, previous, elapsed}
`;

/** Takes back one of the last taking's window. KEYS[1] the counter. */
const giveBackScript = `
if (tonumber(redis.call('HGET', KEYS[1], 'c')) or 0) > 0 then redis.call('HINCRBY', KEYS[1], 'c', -1) end
return 0
`;

type WithTake = Redis & {
  bluewaveGiveBack(key: string): Promise<number>;
  bluewaveTake(key: string, max: number, windowMs: number): Promise<[number, number, number, number]>;
};

/**
 * Rate limits shared by all gateways through Redis, one round trip a taking, with counters of this process alone for
 * while Redis is away.
 */
export class RateLimiter {
  readonly #options: RateLimiterOptions;
  readonly #redis: WithTake;
  readonly #now: () => number;
  readonly #local = new LRUCache<string, WindowState>({ max: localKeys });
  #awayUntil = 0;

  constructor(options: RateLimiterOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    options.redis.defineCommand('bluewaveTake', { numberOfKeys: 1, lua: takeScript });
    options.redis.defineCommand('bluewaveGiveBack', { numberOfKeys: 1, lua: giveBackScript });
    this.#redis = options.redis as WithTake;
  }

  /** False while every limit is lifted. */
  get enabled(): boolean {
    return this.#options.enabled;
  }

  /** Takes one; says whether it was allowed. @throws UNAVAILABLE when unreadable and `whenUnreadable` is refuse. */
  async take(limit: RateLimit, subject: string, whenUnreadable: WhenUnreadable = 'local'): Promise<RateVerdict> {
    if (!this.#options.enabled) {
      return { allowed: true, limit: limit.max, remaining: limit.max, retryAfterMs: 0, resetMs: 0 };
    }
    const key = keyOf(limit, subject);
    const shared = this.#awayUntil > this.#now() ? undefined : await this.#takeShared(limit, key);
    if (shared) return shared;
    if (whenUnreadable === 'refuse') {
      throw new AppError('UNAVAILABLE', 'This cannot be allowed at the moment. Try again.', { retryAfterMs: pauseMs });
    }
    const { state, verdict } = takeFromWindow(limit, this.#local.get(key), this.#now());
    this.#local.set(key, state);
    return verdict;
  }

  /** Takes one or throws RATE_LIMITED. */
  async demand(limit: RateLimit, subject: string): Promise<void> {
    const verdict = await this.take(limit, subject);
    if (!verdict.allowed) throw rateLimited(verdict);
  }

  /** Takes back one that turned out to be no use of the limit. */
  async giveBack(limit: RateLimit, subject: string): Promise<void> {
    if (!this.#options.enabled) return;
    const key = keyOf(limit, subject);
    const local = this.#local.get(key);
    if (local) this.#local.set(key, { ...local, current: Math.max(0, local.current - 1) });
    if (this.#awayUntil > this.#now()) return;
    try {
      await this.#redis.bluewaveGiveBack(key);
    } catch (error) {
      this.#options.log.debug({ err: error }, 'a taking was not taken back');
    }
  }

  async #takeShared(limit: RateLimit, key: string): Promise<RateVerdict | undefined> {
    try {
      const [allowed, current, previous, elapsed] = await this.#redis.bluewaveTake(key, limit.max, limit.windowMs);
      return verdictOf(limit, { window: 0, current, previous }, elapsed, allowed === 1);
    } catch (error) {
      this.#awayUntil = this.#now() + pauseMs;
      this.#options.log.warn({ err: error }, 'rate limits cannot be read; counting in this process');
      return undefined;
    }
  }
}

function keyOf(limit: RateLimit, subject: string): string {
  return `bluewave:rate:${limit.name}:{${subject}}`;
}

const verdicts = new WeakMap<AppError, RateVerdict>();

/** The refusal of a verdict. */
export function rateLimited(verdict: RateVerdict): AppError {
  const seconds = Math.ceil(verdict.retryAfterMs / 1_000);
  const error = new AppError('RATE_LIMITED', `Slow down: try again in ${seconds} s.`, {
    retryAfterMs: verdict.retryAfterMs,
  });
  return refusedBy(error, verdict);
}

/** Notes the verdict that an error refuses for. */
export function refusedBy(error: AppError, verdict: RateVerdict): AppError {
  verdicts.set(error, verdict);
  return error;
}

/** The verdict that an error refuses for, when it is one of ours: headers tell it to the caller. */
export function verdictBehind(error: AppError): RateVerdict | undefined {
  return verdicts.get(error);
}
