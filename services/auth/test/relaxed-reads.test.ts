import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { connectMongo } from '@bluewave/mongo/connect';
import { createLogger } from '@bluewave/runtime/logger';
import type { Connection } from 'mongoose';
import { createModels, ensureIndexes } from '../src/storage/models.ts';
import { createMongoAccountStore } from '../src/storage/mongo-account-store.ts';

const database = `test_auth_relaxed_${randomUUID().slice(0, 8)}`;
let connection: Connection;

beforeAll(async () => {
  connection = await connectMongo({
    url: `${process.env['TEST_MONGODB_URL']}&monitorCommands=true`,
    ...{ database, appName: database, log: createLogger('test', 'silent') },
  });
});
afterAll(async () => {
  await connection.dropDatabase();
  await connection.close();
});

it('given reads that may be relaxed, then the search for people is the one that is, and logins never are', async () => {
  const models = createModels(connection);
  await ensureIndexes(models);
  const accounts = createMongoAccountStore(models, 'secondaryPreferred');
  const relaxed: unknown[] = [];
  let finds = 0;
  connection.getClient().on('commandStarted', ({ commandName, command }) => {
    if (commandName === 'find') finds += 1;
    if (command['$readPreference'] !== undefined) relaxed.push(command);
  });
  const deadline = Date.now() + 10_000;
  const userId = randomUUID();
  const identity = { kind: 'email' as const, value: 'ada@example.com' };
  await accounts.reserve([{ identity, userId, at: Date.now() }], deadline);
  await accounts.findByIdentity(identity, deadline);
  await accounts.find(userId, deadline);
  await accounts.findProfiles([userId], deadline);
  await accounts.search({ prefix: 'ada', after: undefined, limit: 10 }, deadline);
  expect(finds).toBe(5);
  expect(relaxed).toEqual([
    expect.objectContaining({
      find: 'users',
      hint: 'search',
      $readPreference: { mode: 'secondaryPreferred', maxStalenessSeconds: 90 },
    }),
  ]);
});
