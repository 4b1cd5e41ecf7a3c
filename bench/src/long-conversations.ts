import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chatCollections } from '@bluewave/chat/storage/collections';
import type { ChatCollections } from '@bluewave/chat/storage/collections';
import { toDocument } from '@bluewave/chat/storage/entry-document';
import { createMongoProjectionStore } from '@bluewave/chat/storage/mongo-projection-store';
import { createMongoSearchIndex } from '@bluewave/chat/storage/mongo-search-index';
import type { EntryBody, LogEntry } from '@bluewave/chat/log/entry';
import type { Platform } from '@bluewave/dev-env/platform';
import { connectMongo } from '@bluewave/mongo/connect';
import { isDuplicateKey } from '@bluewave/mongo/mongo-failure';
import { createLogger } from '@bluewave/runtime/logger';
import { seededRandom, textOf } from './bench-texts.ts';
import { inParallel } from './gather.ts';

/** Conversations written straight into chat's database, as chat writes them, and indexed. */
export type Prepared = {
  /** Has as many messages as were asked for. */
  longId: string;
  /** Has 1,000 entries. */
  shortId: string;
  messages: number;
  /** Entries of the long one. */
  length: number;
  /** Some of the texts. */
  samples: string[];
};

const database = 'bluewave_chat';
const batch = 4_096;
/** As the index has them. */
const chunk = 256;
const shortLength = 1_000;
const smallest = 5;
const largest = 60;
/** Two messages of the long conversation are this far apart. */
const stepMs = 60_000;
const bodyHash = new Uint8Array(32);

export type Wanted = { messages: number; conversations: number; report(line: string): void };

/** Conversations as below, unless the data of the platform has them from an earlier run: to write a million messages takes minutes. */
export async function keptConversations(platform: Platform, userId: string, wanted: Wanted): Promise<Prepared> {
  const file = join(platform.dataDir, `prepared-${wanted.messages}.json`);
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as Prepared;
  const prepared = await prepareConversations(platform, userId, wanted);
  writeFileSync(file, JSON.stringify(prepared));
  return prepared;
}

/**
 * A user with many conversations: a long one, one of 1,000 entries, and small ones. Each has two members; the last five messages of each
 * are unread.
 */
async function prepareConversations(
  platform: Platform,
  userId: string,
  { messages, conversations, report }: Wanted,
): Promise<Prepared> {
  return withChatDatabase(platform, async (collections) => {
    const random = seededRandom(1);
    const samples: string[] = [];
    const lengths = Array.from({ length: conversations }, (_, index) => {
      if (index < 2) return index === 0 ? messages : shortLength;
      return smallest + Math.floor(random() * (largest - smallest));
    });
    const ids = lengths.map(() => randomUUID());
    let written = 0;
    const write = async (index: number): Promise<void> => {
      const length = lengths[index] ?? 0;
      // Each has its own, so that it is the same whichever is written first.
      const own = seededRandom(index + 2);
      const sample = (text: string): void => {
        if (own() < 2_000 / messages) samples.push(text);
      };
      await writeConversation(collections, ids[index] ?? '', [userId, randomUUID()], length, own, sample);
      written += length;
    };
    await write(0);
    report(`${written} messages are written and indexed`);
    await inParallel(conversations - 1, 16, (index) => write(index + 1));
    report(`${written} messages are written and indexed`);
    await readAllBut(collections, 5);
    // What was written in minutes stands for what was written in years: it is on the disk before anybody reads it.
    await collections.db.admin().command({ fsync: 1 });
    const [longId = '', shortId = ''] = ids;
    return { longId, shortId, length: messages, messages: written, samples };
  });
}

/** Conversations without messages. @returns their ids. */
export async function prepareEmpty(platform: Platform, memberLists: string[][]): Promise<string[]> {
  return withChatDatabase(platform, (collections) =>
    inParallel(memberLists.length, 2, async (index) => {
      const id = randomUUID();
      await writeConversation(collections, id, memberLists[index] ?? [], 1, Math.random, () => undefined);
      return id;
    }),
  );
}

async function withChatDatabase<T>(platform: Platform, work: (collections: ChatCollections) => Promise<T>): Promise<T> {
  const log = createLogger('bench', 'silent');
  const connection = await connectMongo({ url: platform.engines.mongodb, database, appName: 'bench', log });
  try {
    return await work(chatCollections(connection));
  } finally {
    await connection.close();
  }
}

async function writeConversation(
  collections: ChatCollections,
  conversationId: string,
  userIds: string[],
  length: number,
  random: () => number,
  sample: (text: string) => void,
): Promise<void> {
  const index = createMongoSearchIndex(collections);
  const by = randomUUID();
  const endAt = Date.now() - Math.floor(random() * 86_400_000);
  for (let start = 0; start < length; start += batch) {
    const entries = Array.from({ length: Math.min(batch, length - start) }, (_, offset): LogEntry => {
      const seq = start + offset + 1;
      const senderId = userIds[seq === 1 ? 0 : seq % 2] ?? '';
      const body = seq === 1 ? creation(userIds) : message(textOf(random));
      if (body.type === 'message:new') sample(body.text);
      const at = endAt - (length - seq) * stepMs;
      return { conversationId, seq, senderId, clientMsgId: randomUUID(), body, bodyHash, at, by };
    });
    // The first ones are read at once, and only what a majority has is read.
    const options = { ordered: false, writeConcern: { w: start === 0 ? ('majority' as const) : 1 } };
    await persist(() => collections.entries.insertMany(entries.map(toDocument), options));
    if (start === 0) await persist(() => createMongoProjectionStore(collections).projectMembers(conversationId));
    // Chunks are apart from each other: those of a batch may be indexed together.
    await inParallel(Math.ceil(entries.length / chunk), 8, (piece) => {
      const some = entries.slice(piece * chunk, (piece + 1) * chunk);
      return persist(() => index.cover(conversationId, start + piece * chunk, some));
    });
  }
}

/** What is prepared is no figure: a machine that is busy for a moment must not end it. */
async function persist(step: () => Promise<unknown>): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await step();
      return;
    } catch (error) {
      // The first try went through, only its answer did not.
      if (isDuplicateKey(error)) return;
      if (tries === 10) throw error;
    }
  }
}

async function readAllBut(collections: ChatCollections, unread: number): Promise<void> {
  const heads = await collections.conversations.find({}, { projection: { indexed: 1 } }).toArray();
  await collections.members.bulkWrite(
    heads.map(({ _id, indexed }) => ({
      updateMany: { filter: { c: _id }, update: { $set: { readSeq: Math.max(1, (indexed?.seq ?? 1) - unread) } } },
    })),
  );
}

const creation = (userIds: string[]): EntryBody => ({
  type: 'member:added',
  userIds,
  created: { type: 'group', name: 'bench', description: '', createdBy: userIds[0] ?? '' },
});

const message = (text: string): EntryBody & { type: 'message:new' } => ({
  type: 'message:new',
  kind: 'text',
  text,
  attachments: [],
  editedAt: null,
  deletedAt: null,
});
