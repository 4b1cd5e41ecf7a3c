import type { Clock } from '@bluewave/runtime/clock';
import type { Redis } from 'ioredis';
import type { Count, Counters } from '../credentials/counters.ts';
import { failClosed } from './fail-closed.ts';

/** KEYS[1]; now, window in ms. A window opens with its first hit, and its end is kept beside the count. */
const hitScript = `
local ends = tonumber(redis.call('HGET', KEYS[1], 'ends') or '0')
local now, window = tonumber(ARGV[1]), tonumber(ARGV[2])
if ends <= now then
  ends = now + window
  redis.call('DEL', KEYS[1])
  redis.call('HSET', KEYS[1], 'ends', string.format('%.0f', ends))
  redis.call('PEXPIRE', KEYS[1], window)
end
return { redis.call('HINCRBY', KEYS[1], 'count', 1), string.format('%.0f', ends - now) }`;

/** Counters in Redis: one hash a window, each operation one atomic step on one key. */
export function createRedisCounters(redis: Redis, clock: Clock): Counters {
  return {
    hit: (key, windowMs) =>
      failClosed(async () => {
        const [count, resetsInMs] = (await redis.eval(hitScript, 1, key, clock(), windowMs)) as [number, string];
        return { count, resetsInMs: Number(resetsInMs) };
      }),
    peek: (key) =>
      failClosed(async (): Promise<Count> => {
        const [count, ends] = await redis.hmget(key, 'count', 'ends');
        const resetsInMs = Number(ends ?? 0) - clock();
        return resetsInMs > 0 ? { count: Number(count ?? 0), resetsInMs } : { count: 0, resetsInMs: 0 };
      }),
    clear: (key) =>
      failClosed(async () => {
        await redis.del(key);
      }),
  };
}
