import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createLogger } from '@bluewave/runtime/logger';
import { createMetrics } from '@bluewave/runtime/metrics';
import { inTrace } from '@bluewave/runtime/trace';
import type { Connection } from 'mongoose';
import { connectMongo } from '../src/connect.ts';
import { deadlinedStores } from '../src/deadlined-stores.ts';
import { watchCalls } from '../src/watch-calls.ts';

const slowMs = 100;
const secret = 'what somebody wrote';

/** The server sleeps in JavaScript, and answers nothing. */
const createThings = (connection: Connection) => ({
  find: (text: string) => connection.collection('things').findOne({ text }),
  sleep: (ms: number, maxTimeMS = 60_000) =>
    connection.collection('things').findOne({ $where: `sleep(${ms}) || false`, text: { $ne: secret } }, { maxTimeMS }),
});

describe('given stores whose slow calls are watched', () => {
  const metrics = createMetrics('test');
  const lines: Record<string, unknown>[] = [];
  const log = createLogger('test', 'info', { write: (line) => void lines.push(JSON.parse(line) as never) });
  let now = 1_700_000_000_000;
  let connection: Connection;
  const deadlined = deadlinedStores(watchCalls({ slowMs, metrics, log, clock: () => now }));
  const things = () => deadlined('things', createThings(connection));

  beforeAll(async () => {
    const database = `test_slow_${randomUUID().slice(0, 8)}`;
    const url = process.env['TEST_MONGODB_URL'] ?? '';
    connection = await connectMongo({ url, database, appName: database, poolSize: 16, log });
    await connection.collection('things').insertOne({ text: 'hidden' });
  });
  beforeEach(() => void lines.splice(0));
  afterAll(async () => {
    await connection.dropDatabase();
    await connection.close();
  });

  const sample = async (name: string, labels: Record<string, string>) => {
    const found = (await metrics.getSingleMetric(name)?.get())?.values ?? [];
    return found
      .filter((value) => Object.entries(labels).every(([label, wanted]) => value.labels[label] === wanted))
      .filter(
        (value) => !('le' in value.labels) && !('metricName' in value && String(value.metricName).endsWith('_sum')),
      )
      .reduce((sum, { value }) => sum + value, 0);
  };

  it('when one is slow, then it is logged with its trace, without what it looked for, and counted', async () => {
    await inTrace('a1b2', async () => {
      await things().find('nothing');
      await things().sleep(slowMs + 20);
    });
    expect(lines).toEqual([
      {
        ...{ level: 'warn', service: 'test', time: expect.any(String), message: 'a call to MongoDB was slow' },
        ...{ store: 'things', call: 'sleep', ms: expect.any(Number), traceId: 'a1b2' },
      },
    ]);
    expect(lines[0]?.['ms']).toBeGreaterThanOrEqual(slowMs);
    expect(await sample('bluewave_mongodb_slow_calls_total', { store: 'things', call: 'sleep' })).toBe(1);
    expect(await sample('bluewave_mongodb_call_seconds', { store: 'things' })).toBe(2);
  });

  it('when one runs out of its time, then it is said that it failed', async () => {
    await expect(things().sleep(5_000, slowMs + 50)).rejects.toThrow('exceeded time limit');
    expect(lines).toMatchObject([{ store: 'things', call: 'sleep', failed: true }]);
    expect(JSON.stringify(lines)).not.toMatch(/\$where|wrote/);
  });

  it('when many are slow within a second, then all are counted, and the log says how many it left out', async () => {
    const many = deadlined('many', createThings(connection));
    now += 1_000;
    await Promise.all(Array.from({ length: 16 }, () => many.sleep(slowMs + 20)));
    expect(lines).toHaveLength(10);
    now += 1_000;
    await many.sleep(slowMs + 20);
    expect(lines.map(({ untold }) => untold)).toEqual([...Array(10).fill(undefined), 6]);
    expect(await sample('bluewave_mongodb_slow_calls_total', { store: 'many', call: 'sleep' })).toBe(17);
  });
});

it('given a threshold of 0, when calls are to be watched, then none is timed', () => {
  const metrics = createMetrics('test');
  expect(watchCalls({ slowMs: 0, metrics, log: createLogger('test', 'silent') })).toBeUndefined();
  expect(metrics.getSingleMetric('bluewave_mongodb_call_seconds')).toBeUndefined();
});
