import { connectMongo } from '@bluewave/mongo/connect';
import { storeUuid } from '@bluewave/mongo/uuid';
import type { ChatStores } from '../../src/server.ts';
import { chatCollections, type ChatCollections, ensureIndexes } from '../../src/storage/collections.ts';
import { createMongoBootStore } from '../../src/storage/mongo-boot-store.ts';
import { createMongoEntryStore } from '../../src/storage/mongo-entry-store.ts';
import { createMongoProjectionStore } from '../../src/storage/mongo-projection-store.ts';
import { environmentOf, newDatabase, testLog } from './environment.ts';
import { createMemoryBootStore, createMemoryEntryStore, createMemoryProjectionStore } from './memory-entry-store.ts';
import { MemoryLog } from './memory-log.ts';

/** Stores of one database, and ways to bring it into the states that a dying process leaves. */
export type LogStores = ChatStores & {
  /** Projections of a process that dies after so many accesses to the database. */
  dyingProjections(accesses: number): ChatStores['projections'];
  /** How far the conversation's row says it is projected. */
  appliedSeq(conversationId: string): Promise<number>;
  close(): Promise<void>;
};

export class Died extends Error {}

export async function openMemoryStores(): Promise<LogStores> {
  const log = new MemoryLog();
  return {
    entries: createMemoryEntryStore(log),
    projections: createMemoryProjectionStore(log),
    boots: createMemoryBootStore(log),
    dyingProjections(accesses) {
      // Around each access there are two steps.
      let left = accesses * 2;
      return createMemoryProjectionStore(log, async () => {
        if (left-- <= 0) throw new Died();
      });
    },
    appliedSeq: async (conversationId) => log.conversations.get(conversationId)?.appliedSeq ?? 0,
    close: async () => undefined,
  };
}

/** @param now what the stores take for the time. */
export async function openMongoStores(now: () => number = Date.now): Promise<LogStores> {
  const database = newDatabase();
  const url = environmentOf('TEST_MONGODB_URL');
  const connection = await connectMongo({ url, database, appName: 'chat-test', log: testLog });
  const collections = chatCollections(connection);
  await ensureIndexes(collections);
  return {
    entries: createMongoEntryStore(collections, testLog, now),
    projections: createMongoProjectionStore(collections),
    boots: createMongoBootStore(collections),
    dyingProjections: (accesses) => createMongoProjectionStore(dying(collections, accesses)),
    async appliedSeq(conversationId) {
      return (await collections.conversations.findOne({ _id: storeUuid(conversationId) }))?.appliedSeq ?? 0;
    },
    async close() {
      await collections.db.dropDatabase();
      await connection.close();
    },
  };
}

/** The same collections, but that the process is dead after so many calls of theirs. */
function dying(collections: ChatCollections, accesses: number): ChatCollections {
  let left = accesses;
  const watch = <T extends object>(collection: T): T =>
    new Proxy(collection, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return (...parameters: unknown[]): unknown => {
          if (left-- <= 0) throw new Died();
          return Reflect.apply(value, target, parameters);
        };
      },
    });
  const { entries, conversations, members, boots, reactions, forwards, stars, searchChunks } = collections;
  return {
    ...collections,
    entries: watch(entries),
    conversations: watch(conversations),
    members: watch(members),
    boots: watch(boots),
    reactions: watch(reactions),
    forwards: watch(forwards),
    stars: watch(stars),
    searchChunks: watch(searchChunks),
  };
}
