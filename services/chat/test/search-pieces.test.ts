import { randomUUID } from 'node:crypto';
import { storeUuid } from '@bluewave/mongo/uuid';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { LogEntry } from '../src/log/entry.ts';
import type { SearchIndex } from '../src/search/search-index.ts';
import { parseQuery } from '../src/search/search-query.ts';
import type { ChatCollections, SearchChunkDocument } from '../src/storage/collections.ts';
import { toDocument } from '../src/storage/entry-document.ts';
import { createMongoSearchIndex } from '../src/storage/mongo-search-index.ts';
import { type CollectionsForTest, collectionsForTest } from './support/collections-for-test.ts';
import { message, newEntry } from './support/entries.ts';

let opened: CollectionsForTest;
beforeAll(async () => {
  opened = await collectionsForTest();
}, 60_000);
afterAll(() => opened?.close());

const sizes = { entries: 8, keys: 1_000, pieces: 3, page: 16, together: 16 };

/** Messages of a new conversation, in the log. */
const written = async (texts: readonly string[]): Promise<LogEntry[]> => {
  const conversationId = randomUUID();
  const entries = texts.map((text, index) => newEntry(conversationId, index + 1, randomUUID(), message(text)));
  await opened.collections.entries.insertMany(entries.map(toDocument), { writeConcern: { w: 'majority' } });
  return entries;
};

const idOf = ([first]: readonly LogEntry[]): string => first?.conversationId ?? '';

/** As projections do. */
const change = async (entries: readonly LogEntry[], seq: number, fields: Record<string, unknown>): Promise<void> => {
  const _id = { c: storeUuid(idOf(entries)), s: seq };
  await opened.collections.entries.updateOne({ _id }, { $set: fields }, { writeConcern: { w: 'majority' } });
};

/** The only chunk of a conversation. */
const chunkOf = async (entries: readonly LogEntry[]): Promise<SearchChunkDocument> => {
  const chunk = await opened.collections.searchChunks.findOne({ c: storeUuid(idOf(entries)) });
  if (!chunk) throw new Error('there is no chunk');
  return chunk;
};

const found = async (index: SearchIndex, entries: readonly LogEntry[], text: string): Promise<number[]> => {
  const scopes = [{ conversationId: idOf(entries), firstSeq: 1, coveredTo: entries.length }];
  const times = { from: 0, to: Number.POSITIVE_INFINITY, maxMs: 5_000 };
  const { terms } = parseQuery(text);
  const page = await index.candidates({ scopes, terms, order: 'none', place: null, ...times });
  return (page?.chunks ?? []).flatMap(({ seqs }) => seqs);
};

const texts = Array.from({ length: 8 }, (_, index) => `message number${index + 1}`);

describe('given a chunk that is covered message by message', () => {
  it('when it has some pieces, then they are made one, and what was edited or deleted since is as it is now', async () => {
    const index = createMongoSearchIndex(opened.collections, sizes);
    const entries = await written(texts);
    await index.cover(idOf(entries), 0, entries.slice(0, 1));
    await index.cover(idOf(entries), 1, entries.slice(1, 2));
    expect(await chunkOf(entries)).toMatchObject({ pieces: 2, upTo: 2 });
    await change(entries, 2, { 'body.text': 'renewed' });
    await index.noteEdit(idOf(entries), 2, 'renewed');
    await change(entries, 3, { 'body.deletedAt': new Date() });
    await index.cover(idOf(entries), 2, entries.slice(2, 3));
    const chunk = await chunkOf(entries);
    expect(chunk).toMatchObject({ pieces: 1, upTo: 3 });
    expect(chunk.edited).toBeUndefined();
    expect(Object.values(chunk.filters ?? {}).flat()).toHaveLength(1);
    expect(Object.values(chunk.lists ?? {}).every((list) => list.length === 1)).toBe(true);
    expect(await found(index, entries, 'number1')).toEqual([1]);
    expect(await found(index, entries, 'renewed')).toEqual([2]);
    expect(await found(index, entries, '"message number2"')).toEqual([]);
    expect(await found(index, entries, 'number3')).toEqual([]);
  });

  it('when it is whole, then it is one piece, and every message is found as before', async () => {
    const index = createMongoSearchIndex(opened.collections, sizes);
    const entries = await written(texts);
    for (const [done, entry] of entries.entries()) await index.cover(idOf(entries), done, [entry]);
    expect(await chunkOf(entries)).toMatchObject({ pieces: 1, upTo: 8 });
    for (const { seq } of entries) expect(await found(index, entries, `"message number${seq}"`)).toEqual([seq]);
  });
});

describe('given a message that has all words of a phrase', () => {
  it.each([
    ['in another order', '"number1 message"'],
    ['of which one goes on', '"message number"'],
  ])('when they are there %s, then the index does not name it', async (_how, phrase) => {
    const index = createMongoSearchIndex(opened.collections, sizes);
    const entries = await written(texts);
    await index.cover(idOf(entries), 0, entries);
    expect(await found(index, entries, phrase)).toEqual([]);
    expect(await found(index, entries, '"message number1"')).toEqual([1]);
  });
});

describe('given an edit while a chunk is made one piece', () => {
  it('when it is noted after the messages were read, then the chunk stays in pieces, and it is found', async () => {
    const { collections } = opened;
    const entries = await written(texts.slice(0, 3));
    let noted = 0;
    const reading = new Proxy(collections.entries, {
      get: (target, name) =>
        name === 'find'
          ? (...args: Parameters<typeof target.find>) => ({
              toArray: async () => {
                const read = await target.find(...args).toArray();
                await createMongoSearchIndex(collections, sizes).noteEdit(idOf(entries), 1, 'renewed');
                noted += 1;
                return read;
              },
            })
          : (Reflect.get(target, name) as unknown),
    });
    const interrupted: ChatCollections = { ...collections, entries: reading };
    const index = createMongoSearchIndex(interrupted, sizes);
    for (const [done, entry] of entries.entries()) await index.cover(idOf(entries), done, [entry]);
    expect(noted).toBe(1);
    expect(await found(index, entries, 'renewed')).toEqual([1]);
    expect(await chunkOf(entries)).toMatchObject({ pieces: 4, edited: [0] });
  });

  it('when it is of a message that somebody read before it and covers later, then it is found', async () => {
    const index = createMongoSearchIndex(opened.collections, sizes);
    // The last one as it was read before the edit.
    const entries = await written(texts.slice(0, 3));
    await change(entries, 3, { 'body.text': 'renewed' });
    await index.noteEdit(idOf(entries), 3, 'renewed');
    for (const [done, entry] of entries.entries()) await index.cover(idOf(entries), done, [entry]);
    expect(await found(index, entries, 'renewed')).toEqual([3]);
  });
});
