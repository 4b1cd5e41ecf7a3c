import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createLogger } from '@bluewave/runtime/logger';
import { createMetrics } from '@bluewave/runtime/metrics';
import { Redis } from 'ioredis';
import { closeRedis, connectRedis } from '../src/connect.ts';
import { readMemory, watchMemory } from '../src/watch-memory.ts';

const url = process.env['TEST_REDIS_URL'] ?? '';
const names = ['memory_used_bytes', 'memory_max_bytes', 'evicted_keys'].map((name) => `bluewave_redis_${name}`);
const open: (() => void)[] = [];

afterEach(() => {
  for (const close of open.splice(0).reverse()) close();
});

function watch(url: string) {
  const lines: string[] = [];
  const log = createLogger('test', 'warn', { write: (line) => void lines.push(line) });
  const metrics = createMetrics('test');
  const redis = connectRedis({ url, name: 'memory-test', log });
  const watched = watchMemory({ redis, metrics, log, everyMs: 20 });
  open.push(
    () => closeRedis(redis),
    () => watched.close(),
  );
  const figures = async () => {
    const all = await Promise.all(names.map(async (name) => metrics.getSingleMetric(name)?.get()));
    return all.flatMap((one) => one?.values.map(({ value }) => value) ?? []);
  };
  return { figures, lines, redis };
}

async function until<T>(ask: () => Promise<T>, is: (answer: T) => boolean): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    const answer = await ask();
    if (is(answer) || tries === 100) return answer;
    await pause(20);
  }
}

describe('the memory of Redis as metrics', () => {
  it('given a server, then used, most and evicted are told, and nothing any more once it is away', async () => {
    const { figures, redis } = watch(url);
    const [used, max, evicted] = await until(figures, (all) => all.length === 3);
    expect(used).toBeGreaterThan(100_000);
    expect([max, evicted]).toEqual([expect.any(Number), expect.any(Number)]);
    redis.disconnect();
    expect(await until(figures, (all) => all.length === 0)).toEqual([]);
  });

  it('given a server that is away from the start, then there are no figures, and nobody is told a second time', async () => {
    const { figures, lines } = watch('redis://127.0.0.1:1');
    await pause(100);
    expect(await figures()).toEqual([]);
    expect(lines.map((line) => (JSON.parse(line) as { message: string }).message)).toEqual(['Redis is away']);
  });

  it('given a user who may not ask, then that is said once', async () => {
    const user = `blind-${randomUUID().slice(0, 8)}`;
    const admin = new Redis(url);
    open.push(() => admin.disconnect());
    await admin.call('ACL', 'SETUSER', user, 'on', '>secret', '~*', '+@all', '-info');
    try {
      const { figures, lines } = watch(url.replace('redis://', `redis://${user}:secret@`));
      await until(
        () => Promise.resolve(lines.filter((line) => line.includes('does not tell its memory'))),
        (told) => told.length > 0,
      );
      await pause(100);
      expect(lines.filter((line) => line.includes('does not tell its memory'))).toHaveLength(1);
      expect(await figures()).toEqual([]);
    } finally {
      await admin.call('ACL', 'DELUSER', user);
    }
  });

  it('given what a limited server answers, then its figures are read; given something else, then that is said', () => {
    const info =
      '# Memory\r\nused_memory:900\r\nused_memory_human:900B\r\nmaxmemory:1000\r\n# Stats\r\nevicted_keys:3\r\n';
    expect(readMemory(info)).toEqual({ usedBytes: 900, maxBytes: 1_000, evictedKeys: 3 });
    expect(() => readMemory('# Server\r\n')).toThrow('INFO of Redis has no used_memory');
  });
});
