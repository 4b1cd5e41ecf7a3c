import { connectMongo } from '@bluewave/mongo/connect';
import { chatCollections, type ChatCollections, ensureIndexes } from '../../src/storage/collections.ts';
import { testConfig, testLog } from './environment.ts';

export type CollectionsForTest = { collections: ChatCollections; close(): Promise<void> };

/** Chat's collections with their indexes, in a database of their own that goes when they are closed. */
export async function collectionsForTest(): Promise<CollectionsForTest> {
  const { mongodbUrl: url, mongodbDatabase: database } = testConfig();
  const connection = await connectMongo({ url, database, appName: 'chat-test', log: testLog });
  const collections = chatCollections(connection);
  await ensureIndexes(collections);
  return {
    collections,
    async close() {
      await collections.db.dropDatabase();
      await connection.close();
    },
  };
}
