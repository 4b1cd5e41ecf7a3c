import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { connectMongo } from '@bluewave/mongo/connect';
import type { Connection } from 'mongoose';
import { chatCollections, ensureIndexes } from '../src/storage/collections.ts';
import { createMongoReadStore } from '../src/storage/mongo-read-store.ts';
import { testConfig, testLog } from './support/environment.ts';

let connection: Connection;

beforeAll(async () => {
  const { mongodbUrl: url, mongodbDatabase: database } = testConfig();
  connection = await connectMongo({ url: `${url}&monitorCommands=true`, database, appName: 'chat-test', log: testLog });
});
afterAll(async () => {
  await connection.dropDatabase();
  await connection.close();
});

it('given reads that may be relaxed, then the list of rooms is the one that is: heads, members, bans and messages never are', async () => {
  const collections = chatCollections(connection);
  await ensureIndexes(collections);
  const reads = createMongoReadStore(collections, 'nearest');
  const [conversationId, userId] = [randomUUID(), randomUUID()];
  const relaxed: unknown[] = [];
  let commands = 0;
  connection.getClient().on('commandStarted', ({ command }) => {
    commands += 1;
    if (command['$readPreference'] !== undefined) relaxed.push(command);
  });
  await reads.membership(conversationId, userId);
  await reads.membershipsWithHeads(userId);
  await reads.members(conversationId, null, 10);
  await reads.recipients(conversationId, 1, userId);
  await reads.acquainted(userId, [randomUUID()]);
  await reads.shared([conversationId]);
  await reads.headsOf(userId);
  await reads.heads([conversationId]);
  await reads.lastMessages([conversationId]);
  await reads.entriesAfter(conversationId, 0, 10);
  await reads.messages(conversationId, { from: 1, to: 10 }, true, 10);
  await reads.showsUpload(userId, randomUUID());
  await reads.room(conversationId);
  await reads.keptOutOf(userId, [conversationId], Date.now());
  await reads.bans(conversationId, null, 10, Date.now());
  const before = commands;
  expect(before).toBeGreaterThanOrEqual(15);
  expect(relaxed).toEqual([]);
  await reads.rooms({ keys: [], longWords: [] }, '', 10);
  expect(relaxed).toEqual([
    expect.objectContaining({
      find: 'conversations',
      readConcern: { level: 'majority' },
      $readPreference: { mode: 'nearest', maxStalenessSeconds: 90 },
    }),
  ]);
});
