import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import { lastSeenField } from './presence-keys.ts';

/** A Lua script of Redis: atomic, and all its keys share a slot. */
export type Script = { source: string; sha: string };

const script = (source: string): Script => ({ source, sha: createHash('sha1').update(source).digest('hex') });

/** How long a user's `lastSeenAt` is kept after the last connection went. */
const lastSeenKeptMs = 30 * 24 * 3_600_000;

/** Milliseconds of the caller's clock when it is given, else of Redis: one clock for all gateways. */
const clock = (argument: number) => `
local now = tonumber(ARGV[${argument}])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end`;

/** Keys leases, claims; arguments now, boot, leaseMs. Answers 1 when a live lease was renewed, else 0. */
export const renewScript = script(`${clock(1)}
local claim = redis.call('ZSCORE', KEYS[2], ARGV[2])
-- Whoever cleans up after this boot would remove what it adds: the lease comes back when that has ended.
if claim and tonumber(claim) > now then return 0 end
local lease = redis.call('ZSCORE', KEYS[1], ARGV[2])
redis.call('ZREM', KEYS[2], ARGV[2])
redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[2])
if lease and tonumber(lease) > now and not claim then return 1 end
return 0`);

/** Key leases; argument now. Answers now, then boot and lease end in turn. */
export const leasesScript = script(`${clock(1)}
local leases = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
table.insert(leases, 1, string.format('%.0f', now))
return leases`);

/** Keys leases, claims; arguments now, claimMs, at most. Answers boot and lease end in turn. */
export const claimScript = script(`${clock(1)}
local ended = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'WITHSCORES')
local claimed = {}
for i = 1, #ended, 2 do
  local claim = redis.call('ZSCORE', KEYS[2], ended[i])
  if #claimed < ARGV[3] * 2 and not (claim and tonumber(claim) > now) then
    redis.call('ZADD', KEYS[2], now + ARGV[2], ended[i])
    table.insert(claimed, ended[i])
    table.insert(claimed, ended[i + 1])
  end
end
return claimed`);

/** Keys leases, claims; arguments now, claimMs, boot. Ends the lease and claims its clean-up; answers now. */
export const giveUpScript = script(`${clock(1)}
redis.call('ZADD', KEYS[1], now, ARGV[3])
redis.call('ZADD', KEYS[2], now + ARGV[2], ARGV[3])
return string.format('%.0f', now)`);

/** Keys leases, claims; arguments now, boot. Forgets a boot that was cleaned up, unless it came back. */
export const forgetScript = script(`${clock(1)}
local lease = redis.call('ZSCORE', KEYS[1], ARGV[2])
if lease and tonumber(lease) > now then return 0 end
redis.call('ZREM', KEYS[1], ARGV[2])
redis.call('ZREM', KEYS[2], ARGV[2])
return 1`);

/** Key user; arguments now, field, status. Adds a connection; answers the fields that were there. */
export const connectScript = script(`${clock(1)}
local fields = redis.call('HKEYS', KEYS[1])
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3], '${lastSeenField}', string.format('%.0f', now))
redis.call('PERSIST', KEYS[1])
return fields`);

/**
 * Key user; arguments now, field or prefix, '1' for a prefix, time last seen (empty: now). Removes the connection, or all
 * with the prefix; answers how many there were, then the fields that are left.
 */
export const removeScript = script(`${clock(1)}
local removed = 0
local left = { 0 }
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  local hit = field == ARGV[2]
  if ARGV[3] == '1' then hit = string.sub(field, 1, #ARGV[2]) == ARGV[2] end
  if hit then
    removed = removed + redis.call('HDEL', KEYS[1], field)
  elseif field ~= '${lastSeenField}' then
    table.insert(left, field)
  end
end
if removed > 0 then
  local seen = tonumber(ARGV[4]) or now
  local known = tonumber(redis.call('HGET', KEYS[1], '${lastSeenField}') or '0')
  redis.call('HSET', KEYS[1], '${lastSeenField}', string.format('%.0f', math.max(seen, known)))
end
if #left == 1 then redis.call('PEXPIRE', KEYS[1], ${lastSeenKeptMs}) end
left[1] = removed
return left`);

/** Key user; arguments now, field, status. Changes a connection that is there. */
export const statusScript = script(`${clock(1)}
if redis.call('HEXISTS', KEYS[1], ARGV[2]) == 0 then return 0 end
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3], '${lastSeenField}', string.format('%.0f', now))
return 1`);

/** Runs a script by its digest, with its source when Redis does not know it (yet, or any more). */
export async function run(
  redis: Redis,
  { sha, source }: Script,
  keys: readonly string[],
  args: readonly (string | number)[],
): Promise<unknown> {
  try {
    return await redis.evalsha(sha, keys.length, ...keys, ...args);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
    return redis.eval(source, keys.length, ...keys, ...args);
  }
}
