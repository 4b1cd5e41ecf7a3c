import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createLogger } from '@bluewave/runtime/logger';
import { createMetrics } from '@bluewave/runtime/metrics';
import { inTrace } from '@bluewave/runtime/trace';
import type { Connection } from 'mongoose';
import { connectMongo } from '../src/connect.ts';

const slowMs = 100;
/** The server sleeps in JavaScript, and answers nothing. */
const sleeping = (ms: number) => ({ $where: `sleep(${ms}) || false`, text: { $ne: 'what somebody wrote' } });

describe('given a connection whose slow commands are watched', () => {
  const url = process.env['TEST_MONGODB_URL'] ?? '';
  const database = `test_slow_${randomUUID().slice(0, 8)}`;
  const metrics = createMetrics('test');
  const lines: Record<string, unknown>[] = [];
  const write = (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>);
  let now = 1_700_000_000_000;
  let connection: Connection;

  beforeAll(async () => {
    connection = await connectMongo({
      ...{ url, database, appName: database, poolSize: 16 },
      log: createLogger('test', 'info', { write }),
      commands: { slowMs, metrics, clock: () => now },
    });
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
    const things = connection.collection('things');
    await inTrace('a1b2', async () => {
      await things.findOne({ text: 'nothing' });
      await things.findOne(sleeping(slowMs + 20));
    });
    expect(lines).toEqual([
      {
        ...{ level: 'warn', service: 'test', time: expect.any(String), message: 'a MongoDB command was slow' },
        ...{ command: 'find', collection: 'things', ms: expect.any(Number), traceId: 'a1b2' },
      },
    ]);
    expect(lines[0]?.['ms']).toBeGreaterThanOrEqual(slowMs);
    const slow = { command: 'find', collection: 'things' };
    expect(await sample('bluewave_mongodb_slow_commands_total', slow)).toBe(1);
    expect(await sample('bluewave_mongodb_command_seconds', { command: 'find' })).toBe(2);
  });

  it('when one runs out of its time, then it is said that it failed', async () => {
    const asked = connection.collection('things').findOne(sleeping(5_000), { maxTimeMS: slowMs + 50 });
    await expect(asked).rejects.toThrow('exceeded time limit');
    expect(lines).toMatchObject([{ command: 'find', collection: 'things', failed: true }]);
    expect(JSON.stringify(lines)).not.toMatch(/sleep|wrote/);
  });

  it('when many are slow within a second, then all are counted, and the log says how many it left out', async () => {
    const many = connection.collection('many');
    await many.insertOne({});
    now += 1_000;
    await Promise.all(Array.from({ length: 16 }, () => many.findOne(sleeping(slowMs + 20))));
    expect(lines).toHaveLength(10);
    now += 1_000;
    await many.findOne(sleeping(slowMs + 20));
    expect(lines.map(({ untold }) => untold)).toEqual([...Array(10).fill(undefined), 6]);
    const slow = { command: 'find', collection: 'many' };
    expect(await sample('bluewave_mongodb_slow_commands_total', slow)).toBe(17);
  });
});

it('given a threshold of 0, when commands are sent, then none is timed', async () => {
  const metrics = createMetrics('test');
  const connection = await connectMongo({
    ...{ url: process.env['TEST_MONGODB_URL'] ?? '', database: 'test_slow_none', appName: 'test' },
    log: createLogger('test', 'silent'),
    commands: { slowMs: 0, metrics },
  });
  try {
    expect(connection.getClient().options.monitorCommands).toBe(false);
    expect(metrics.getSingleMetric('bluewave_mongodb_command_seconds')).toBeUndefined();
  } finally {
    await connection.close();
  }
});
