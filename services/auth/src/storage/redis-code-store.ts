import { createHash } from 'node:crypto';
import type { Clock } from '@bluewave/runtime/clock';
import type { Redis } from 'ioredis';
import type { CodeStore } from '../codes/code-store.ts';
import { failClosed } from './fail-closed.ts';

/** KEYS[1]; hash, kid, expiry, life in ms. Replaces the whole record, so the old code and its guesses are gone. */
const putScript = `
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'hash', ARGV[1], 'kid', ARGV[2], 'expires', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1`;

/** KEYS[1]; now, most guesses, then pairs of kid and hash. Counts first. @returns 1 for the right guess, once. */
const guessScript = `
local kept = redis.call('HMGET', KEYS[1], 'hash', 'kid', 'expires')
if not kept[1] then return 0 end
local guesses = redis.call('HINCRBY', KEYS[1], 'guesses', 1)
local inTime = tonumber(kept[3]) > tonumber(ARGV[1])
local most = tonumber(ARGV[2])
if inTime and guesses <= most then
  for i = 3, #ARGV, 2 do
    if ARGV[i] == kept[2] and ARGV[i + 1] == kept[1] then
      redis.call('DEL', KEYS[1])
      return 1
    end
  end
end
if not inTime or guesses >= most then redis.call('DEL', KEYS[1]) end
return 0`;

/** One-time codes in Redis: one hash an identity, gone with its time. */
export function createRedisCodeStore(redis: Redis, clock: Clock): CodeStore {
  return {
    put: (identityKey, { hash, kid, expiresAt }) =>
      failClosed(async () => {
        await redis.eval(putScript, 1, codeKey(identityKey), hash, kid, expiresAt, Math.max(1, expiresAt - clock()));
      }),
    guess: (identityKey, hashes, now, maxGuesses) =>
      failClosed(async () => {
        const pairs = [...hashes].flat();
        return (await redis.eval(guessScript, 1, codeKey(identityKey), now, maxGuesses, ...pairs)) === 1;
      }),
  };
}

/** No address or number of a person stands in a key. */
const codeKey = (identityKey: string): string =>
  `auth:code:${createHash('sha256').update(identityKey).digest('base64url')}`;
