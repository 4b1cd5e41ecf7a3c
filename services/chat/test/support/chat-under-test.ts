import { connectMongo } from '@bluewave/mongo/connect';
import type { ChatConfig } from '../../src/config.ts';
import type { LogEntry } from '../../src/log/entry.ts';
import { type ChatOptions, type RunningChat, startChat } from '../../src/server.ts';
import { chatCollections, type ChatCollections } from '../../src/storage/collections.ts';
import { createMongoEntryStore } from '../../src/storage/mongo-entry-store.ts';
import { testConfig, testLog } from './environment.ts';
import { Replica } from './replica.ts';

/** Replicas of chat on one database, and the database itself to look into. */
export type ChatUnderTest = {
  config: ChatConfig;
  replicas: [Replica, Replica];
  running: [RunningChat, RunningChat];
  collections: ChatCollections;
  /** The whole log of a conversation. */
  log(conversationId: string): Promise<LogEntry[]>;
  close(): Promise<void>;
};

/** @param change what is configured otherwise. */
export async function startChatUnderTest(
  options: ChatOptions = {},
  change: Partial<ChatConfig> = {},
): Promise<ChatUnderTest> {
  const config = testConfig(change);
  const running = await Promise.all([startChat(config, testLog, options), startChat(config, testLog, options)]);
  const [first, second] = running.map(({ grpcPort }) => new Replica(grpcPort)) as [Replica, Replica];
  const { mongodbUrl: url, mongodbDatabase: database } = config;
  const connection = await connectMongo({ url, database, appName: 'chat-test', log: testLog });
  const collections = chatCollections(connection);
  const entries = createMongoEntryStore(collections, testLog, Date.now);
  return {
    ...{ config, running, collections },
    replicas: [first, second],
    log: (conversationId) => entries.readAfter(conversationId, 0, 100_000),
    async close() {
      first.close();
      second.close();
      await Promise.all(running.map((one) => one.close()));
      await collections.db.dropDatabase();
      await connection.close();
    },
  };
}

/** Polls until `look` answers something other than undefined. */
export async function eventually<T>(look: () => Promise<T | undefined>, withinMs = 10_000): Promise<T> {
  const end = Date.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > end) throw new Error(`not seen within ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
