import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connectMongo } from '@bluewave/mongo/connect';
import type { Connection } from 'mongoose';
import { type ChatCollections, chatCollections, ensureIndexes } from '../src/storage/collections.ts';
import { environmentOf, newDatabase, testLog } from './support/environment.ts';

type Index = { name: string; key: Record<string, number>; unique?: boolean };

let connection: Connection;
let collections: ChatCollections;
beforeAll(async () => {
  const url = environmentOf('TEST_MONGODB_URL');
  connection = await connectMongo({ url, database: newDatabase(), appName: 'chat-test', log: testLog });
  collections = chatCollections(connection);
});
afterAll(async () => {
  await connection.dropDatabase();
  await connection.close();
});

async function indexes(): Promise<Map<string, Index[]>> {
  const stored = await collections.db.listCollections({}, { nameOnly: true }).toArray();
  const found = stored.map(async ({ name }) => [name, await collections.db.collection(name).indexes()] as const);
  return new Map((await Promise.all(found)) as [string, Index[]][]);
}

describe('given an empty database', () => {
  it('when many replicas start at once, then each index is there once, and starting again changes nothing', async () => {
    await Promise.all(Array.from({ length: 8 }, () => ensureIndexes(collections)));
    const made = await indexes();
    expect(made.get('entries')?.map(({ name }) => name)).toEqual(expect.arrayContaining(['_id_', 'client_id', 'boot']));
    await ensureIndexes(collections);
    expect(await indexes()).toEqual(made);
  });

  it('when conversations are spread over shards, then what is unique is so within one conversation', async () => {
    await ensureIndexes(collections);
    const made = await indexes();
    expect(made.size).toBeGreaterThan(5);
    const unique = [...made].flatMap(([name, found]) =>
      found.filter((one) => one.unique).map(({ key }) => [name, key]),
    );
    // A sharded collection can only hold an index unique that begins with the shard key.
    expect(unique).toContainEqual(['entries', { c: 1, senderId: 1, clientMsgId: 1 }]);
    for (const [name, key] of unique) expect([name, Object.keys(key ?? {})[0]]).toEqual([name, 'c']);
  });
});
