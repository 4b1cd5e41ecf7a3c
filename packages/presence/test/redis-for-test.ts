import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';

/** A client whose keys are its own; `wipe` loses them all, as a Redis does that lost its data. */
export async function redisForTest(): Promise<{ redis: Redis; wipe(): Promise<void>; close(): Promise<void> }> {
  const url = process.env['TEST_REDIS_URL'];
  if (!url) throw new Error('TEST_REDIS_URL is not set');
  const keyPrefix = `test:${randomUUID()}:`;
  const redis = new Redis(url, { keyPrefix, enableAutoPipelining: true, commandTimeout: 5_000 });
  const wipe = async (): Promise<void> => {
    let cursor = '0';
    do {
      const [next, keys] = await redis.scan(cursor, 'MATCH', `${keyPrefix}*`, 'COUNT', 1_000);
      await Promise.all(keys.map((key) => redis.del(key.slice(keyPrefix.length))));
      cursor = next;
    } while (cursor !== '0');
  };
  const close = async (): Promise<void> => {
    await wipe();
    redis.disconnect();
  };
  return { redis, wipe, close };
}
