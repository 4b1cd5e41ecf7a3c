import type { Logger } from '@bluewave/runtime/logger';
import { Redis } from 'ioredis';

export type RedisOptions = {
  /** `redis://` or `rediss://` with credentials. */
  url: string;
  /** Shown in CLIENT LIST. */
  name: string;
  log: Logger;
  /** How long one command may take, in milliseconds; 250 without it. */
  commandMs?: number | undefined;
};

/** How long one command may take, in milliseconds. */
export const commandMs = 250;

/**
 * A Redis client that fails fast: no queue while disconnected, reconnects for ever in the background. It never rejects at creation: a platform without Redis goes on in its reduced form.
 */
export function connectRedis(options: RedisOptions): Redis {
  const redis = new Redis(options.url, {
    connectionName: options.name,
    commandTimeout: options.commandMs ?? commandMs,
    connectTimeout: 1_000,
    // Else a client that is closed while its server is away holds the process for 2 s.
    disconnectTimeout: commandMs,
    enableOfflineQueue: false,
    enableAutoPipelining: true,
    maxRetriesPerRequest: 0,
    retryStrategy: (attempt) => Math.min(100 * attempt, 1_000),
  });
  let away = false;
  redis.on('error', (error: unknown) => {
    if (!away) options.log.warn({ err: error }, 'Redis is away');
    away = true;
  });
  redis.on('ready', () => {
    if (away) options.log.info('Redis is back');
    away = false;
  });
  return redis;
}

/** Ends a client without waiting for a server that may be gone. */
export function closeRedis(redis: Redis): void {
  redis.disconnect();
}
