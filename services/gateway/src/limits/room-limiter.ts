import type { Logger } from '@bluewave/runtime/logger';
import type { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';
import { rememberedMs, type RoomLimit, type RoomState, type RoomVerdict, takeFromRoom } from './room-window.ts';

export type RoomLimiterOptions = { redis: Redis; log: Logger; limit: RoomLimit; now?: () => number };

/** One user in one room; `id` names the message, so that its repeat is not another one. */
export type RoomTaking = { userId: string; conversationId: string; id: string };

/** How long Redis is left alone after it could not be read. */
const pauseMs = 1_000;
/** Users in rooms that this process counts at most, for while Redis is away. */
const localKeys = 50_000;

/**
 * Takes one and answers {allowed, remaining, muted until, whether the mute is new}. The clock is that of Redis.
 * KEYS[1] the takings, a sorted set of message ids by time, KEYS[2] the end of the mute; ARGV max, window, mute and
 * remembered milliseconds, message id.
 */
const takeScript = `
local max, window, mute, keep = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - keep)
local left = math.max(0, max - redis.call('ZCOUNT', KEYS[1], '(' .. (now - window), '+inf'))
if redis.call('ZSCORE', KEYS[1], ARGV[5]) then return {1, left, 0, 0} end
local mutedUntil = tonumber(redis.call('GET', KEYS[2])) or 0
if mutedUntil > now then return {0, 0, mutedUntil, 0} end
if left > 0 then
  redis.call('ZADD', KEYS[1], now, ARGV[5])
  redis.call('PEXPIRE', KEYS[1], keep)
  return {1, left - 1, 0, 0}
end
mutedUntil = now + mute
redis.call('SET', KEYS[2], string.format('%.0f', mutedUntil), 'PX', mute)
return {0, 0, mutedUntil, 1}
`;

type WithTake = Redis & {
  bluewaveTakeRoom(
    ...args: [takings: string, mute: string, max: number, window: number, mute: number, keep: number, id: string]
  ): Promise<[number, number, number, number]>;
};

/**
 * The limit of messages to rooms, shared by all gateways through Redis, one round trip a message; counted in this
 * process alone while Redis is away.
 */
export class RoomLimiter {
  readonly #options: RoomLimiterOptions;
  readonly #redis: WithTake;
  readonly #now: () => number;
  readonly #local = new LRUCache<string, RoomState>({ max: localKeys });
  #awayUntil = 0;

  constructor(options: RoomLimiterOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    options.redis.defineCommand('bluewaveTakeRoom', { numberOfKeys: 2, lua: takeScript });
    this.#redis = options.redis as WithTake;
  }

  /** How long the id of a message is remembered, milliseconds. */
  get rememberedMs(): number {
    return rememberedMs(this.#options.limit);
  }

  /** Takes one message; one that was taken before, within a window and a mute, is allowed and not counted again. */
  async take(taking: RoomTaking): Promise<RoomVerdict> {
    const { limit } = this.#options;
    const shared = this.#awayUntil > this.#now() ? undefined : await this.#takeShared(taking);
    if (shared) return shared;
    const key = keysOf(taking)[0];
    const { state, verdict } = takeFromRoom(limit, this.#local.get(key), taking.id, this.#now());
    this.#local.set(key, state);
    return verdict;
  }

  /** Takes back one that turned out to be no new message. */
  async giveBack(taking: RoomTaking): Promise<void> {
    const [key] = keysOf(taking);
    const local = this.#local.get(key);
    if (local) this.#local.set(key, { ...local, takings: local.takings.filter(({ id }) => id !== taking.id) });
    if (this.#awayUntil > this.#now()) return;
    try {
      await this.#redis.zrem(key, taking.id);
    } catch (error) {
      this.#missed(error);
    }
  }

  async #takeShared(taking: RoomTaking): Promise<RoomVerdict | undefined> {
    const { max, windowMs, muteMs } = this.#options.limit;
    try {
      const [allowed, remaining, mutedUntil, isNewMute] = await this.#redis.bluewaveTakeRoom(
        ...keysOf(taking),
        ...([max, windowMs, muteMs, this.rememberedMs] as const),
        taking.id,
      );
      return { allowed: allowed === 1, remaining, mutedUntil, isNewMute: isNewMute === 1 };
    } catch (error) {
      this.#missed(error);
      return undefined;
    }
  }

  #missed(error: unknown): void {
    this.#awayUntil = this.#now() + pauseMs;
    this.#options.log.warn({ err: error }, 'the limits of rooms cannot be read; counting in this process');
  }
}

function keysOf({ userId, conversationId }: RoomTaking): [takings: string, mute: string] {
  const tag = `{${conversationId}:${userId}}`;
  return [`bluewave:room:${tag}`, `bluewave:room-mute:${tag}`];
}
