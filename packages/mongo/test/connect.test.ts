import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createLogger } from '@bluewave/runtime/logger';
import type { Connection } from 'mongoose';
import { connectMongo } from '../src/connect.ts';

const poolSize = 4;

describe('given a connection with a pool of four', () => {
  let connection: Connection;
  beforeAll(async () => {
    const url = process.env['TEST_MONGODB_URL'] ?? '';
    const database = `test_mongo_${randomUUID().slice(0, 8)}`;
    connection = await connectMongo({
      url,
      database,
      appName: database,
      log: createLogger('test', 'silent'),
      poolSize,
    });
  });
  afterAll(async () => {
    await connection.dropDatabase();
    await connection.close();
  });

  it('when many operations come at once, again and again, then they share four sockets, which stay open', async () => {
    const client = connection.getClient();
    const opened: unknown[] = [];
    let [out, most, closed] = [0, 0, 0];
    client.on('connectionCreated', ({ connectionId }) => void opened.push(connectionId));
    client.on('connectionClosed', () => void (closed += 1));
    client.on('connectionCheckedOut', () => void (most = Math.max(most, (out += 1))));
    client.on('connectionCheckedIn', () => void (out -= 1));
    const things = connection.collection('things');
    for (let round = 0; round < 5; round += 1) {
      await Promise.all(Array.from({ length: 50 }, () => things.insertOne({ round })));
    }
    expect(await things.countDocuments()).toBe(250);
    // Some were open before anything was counted.
    expect(opened.length).toBeLessThanOrEqual(poolSize);
    expect([most, closed]).toEqual([poolSize, 0]);
  });
});
