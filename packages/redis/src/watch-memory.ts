import type { Logger } from '@bluewave/runtime/logger';
import type { Redis } from 'ioredis';
import { Gauge, type Registry } from 'prom-client';

export type MemoryWatchOptions = {
  /** Made by `connectRedis`, so that no question takes longer than a command may. */
  redis: Redis;
  metrics: Registry;
  log: Logger;
  everyMs?: number;
};

/**
 * Figures of the Redis server itself, asked for with INFO every 15 s. While it does not answer they are absent, so that
 * nobody takes old ones for the present.
 */
export function watchMemory({ redis, metrics, log, everyMs = 15_000 }: MemoryWatchOptions): { close(): void } {
  const gauges = memoryGauges(metrics);
  let [asking, told] = [false, false];
  const ask = async (): Promise<void> => {
    if (asking) return;
    asking = true;
    try {
      gauges.set(readMemory(await redis.info()));
    } catch (error) {
      gauges.forget();
      // That it is away is said elsewhere. Who may not ask is told so once: the answer will not change.
      if (redis.status === 'ready' && !told) log.warn({ err: error }, 'Redis does not tell its memory');
      told ||= redis.status === 'ready';
    } finally {
      asking = false;
    }
  };
  const poll = (): void => void ask();
  const timer = setInterval(poll, everyMs);
  redis.on('ready', poll);
  return {
    close() {
      clearInterval(timer);
      redis.off('ready', poll);
    },
  };
}

export type RedisMemory = { usedBytes: number; maxBytes: number; evictedKeys: number };

/** Reads what INFO answers. @throws when it holds no figures. */
export function readMemory(info: string): RedisMemory {
  const figures = new Map([...info.matchAll(/^(\w+):(\d+)\r?$/gm)].map(([, name, value]) => [name, Number(value)]));
  const figure = (name: string): number => {
    const value = figures.get(name);
    if (value === undefined) throw new Error(`INFO of Redis has no ${name}`);
    return value;
  };
  return {
    usedBytes: figure('used_memory'),
    maxBytes: figure('maxmemory'),
    evictedKeys: figure('evicted_keys'),
  };
}

function memoryGauges(metrics: Registry): { set(memory: RedisMemory): void; forget(): void } {
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers: [metrics] });
  const used = gauge('bluewave_redis_memory_used_bytes', 'Memory that Redis has allocated');
  const max = gauge('bluewave_redis_memory_max_bytes', 'What Redis may use (maxmemory); 0: no limit of its own');
  const evicted = gauge('bluewave_redis_evicted_keys', 'Keys that Redis threw away for room since it started');
  const all = [used, max, evicted];
  const forget = (): void => all.forEach((one) => one.remove());
  forget();
  return {
    set({ usedBytes, maxBytes, evictedKeys }) {
      used.set(usedBytes);
      max.set(maxBytes);
      evicted.set(evictedKeys);
    },
    forget,
  };
}
