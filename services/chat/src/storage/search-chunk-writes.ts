import { committed, durable, operationMs } from '@bluewave/mongo/connect';
import { isDuplicateKey } from '@bluewave/mongo/mongo-failure';
import { storeUuid } from '@bluewave/mongo/uuid';
import mongoose from 'mongoose';
import type { LogEntry } from '../log/entry.ts';
import { wordsOf } from '../search/fold-text.ts';
import { packFilter } from '../search/key-filters.ts';
import { packPostings } from '../search/postings.ts';
import { filteredKeys, keysOfWords, type SearchKeys } from '../search/search-keys.ts';
import { fromDocument } from './entry-document.ts';
import type { SearchChunkDocument, StoredBytes } from './collections.ts';
import { chunkOf, type ChunkParts, type ChunkSizes, placeOf } from './search-chunks.ts';

const { Binary } = mongoose.mongo.BSON;

const read = { ...committed, maxTimeMS: operationMs } as const;
const write = { ...durable, maxTimeMS: operationMs } as const;

/** Makes a message findable by its new text, whether its chunk covers it or will. */
export async function noteEdit(
  { collections, sizes }: ChunkParts,
  conversationId: string,
  seq: number,
  text: string,
): Promise<void> {
  const { searchChunks } = collections;
  const c = storeUuid(conversationId);
  const n = chunkOf(seq, sizes);
  const keys = filteredKeys(keysOfWords(wordsOf(text)));
  const onInsert = { $setOnInsert: { c, upTo: n * sizes.entries } };
  const place = placeOf(seq, sizes);
  const found = {
    ...onInsert,
    $addToSet: { edited: place },
    $push: pushedFilter(keys),
    $inc: { given: keys.size, pieces: 1 },
  };
  const upsert = { ...write, upsert: true };
  const withRoom = { _id: { c, n }, ...withRoomFor(keys, sizes) };
  // Somebody else may make the chunk this very moment; taken twice, it is full.
  for (let tries = 0; tries < 2; tries += 1) {
    if (await unlessTaken(searchChunks.updateOne(withRoom, found, upsert))) return;
  }
  const always = { ...onInsert, $addToSet: { edited: place }, $set: { full: true as const } };
  await searchChunks.updateOne({ _id: { c, n } }, always, upsert);
}

/** Covers entries of one chunk. @returns false when somebody else was quicker. */
export async function coverInChunk(
  parts: ChunkParts,
  conversationId: string,
  after: number,
  entries: readonly LogEntry[],
): Promise<boolean> {
  const { sizes } = parts;
  const { searchChunks } = parts.collections;
  const c = storeUuid(conversationId);
  const n = chunkOf(after + 1, sizes);
  const messages = entries.flatMap((entry) => findableIn(entry, sizes));
  const keys = keysOf(messages);
  const times = entries.map(({ at }) => at);
  const covered = {
    $set: { upTo: after + entries.length },
    $min: { firstAt: new Date(Math.min(...times)) },
    $max: { lastAt: new Date(Math.max(...times)) },
    $setOnInsert: { c },
  };
  const found = {
    ...covered,
    $inc: { given: keys.size, pieces: 1 },
    ...(messages.length > 0 ? { $push: { ...pushedFilter(keys), ...pushedLists(messages) } } : {}),
  };
  const filter = { _id: { c, n }, upTo: after };
  // Only the first entries of a chunk make it.
  const options = {
    ...write,
    upsert: after === n * sizes.entries,
    returnDocument: 'after',
    projection: counts,
  } as const;
  if (keys.size <= sizes.keys) {
    const withRoom = { ...filter, ...withRoomFor(keys, sizes) };
    const chunk = await unlessTaken(searchChunks.findOneAndUpdate(withRoom, found, options));
    if (chunk && isInPieces(chunk, sizes)) await packAnew(parts, chunk);
    if (chunk) return true;
  }
  const places = messages.map(({ place }) => place);
  const always = {
    ...covered,
    $set: { ...covered.$set, full: true as const },
    $addToSet: { edited: { $each: places } },
  };
  return (await unlessTaken(searchChunks.findOneAndUpdate(filter, always, options))) !== null;
}

/** What says whether a chunk is as it was. */
const counts = { upTo: 1, pieces: 1, given: 1, edited: 1 } as const;
type Counted = Pick<SearchChunkDocument, '_id' | keyof typeof counts>;

function isInPieces({ _id, upTo, pieces = 0, edited = [] }: Counted, sizes: ChunkSizes): boolean {
  const isWhole = upTo === (_id.n + 1) * sizes.entries;
  // Who covers a message that was edited before may have read it earlier still: then only the edit has its new text.
  const isAnyToCome = edited.some((place) => place > placeOf(upTo, sizes));
  return pieces >= (isWhole ? 2 : sizes.pieces) && !isAnyToCome;
}

/**
 * Makes one piece of what a chunk was given in many, as of people who write now and then: each piece has a filter and a
 * list in each bucket, which together are several times as large. Its messages are read as they are now: edits that the
 * chunk was given before are in them, and one that it is given meanwhile leaves it in pieces.
 */
async function packAnew(
  { collections, sizes }: ChunkParts,
  { _id, upTo, pieces = 0, given = 0 }: Counted,
): Promise<void> {
  const { searchChunks, entries } = collections;
  const covered = { $gt: { c: _id.c, s: _id.n * sizes.entries }, $lte: { c: _id.c, s: upTo } };
  const documents = await entries.find({ _id: covered }, { ...read, batchSize: sizes.entries + 1 }).toArray();
  const messages = documents.flatMap((document) => findableIn(fromDocument(document), sizes));
  const keys = keysOf(messages);
  if (keys.size > sizes.keys) return;
  const { size, filter } = packFilter(keys);
  const lists = Object.fromEntries(Array.from(listsOf(messages), ([bucket, list]) => [bucket, [list]]));
  await searchChunks.updateOne(
    { _id, full: { $exists: false }, upTo, pieces, given },
    {
      $set: { filters: { [size]: [new Binary(filter)] }, lists, pieces: 1, given: keys.size },
      $unset: { edited: 1 },
    },
    write,
  );
}

type Findable = { place: number; keys: SearchKeys };

function findableIn({ seq, body }: LogEntry, sizes: ChunkSizes): Findable[] {
  if (body.type !== 'message:new' || body.deletedAt !== null) return [];
  const keys = keysOfWords(wordsOf(body.text));
  return keys.words.size === 0 ? [] : [{ place: placeOf(seq, sizes), keys }];
}

/** By bucket. */
function listsOf(messages: readonly Findable[]): Map<number, StoredBytes> {
  const packed = packPostings(messages.map(({ place, keys }) => ({ place, keys: keys.words })));
  return new Map(Array.from(packed, ([bucket, list]) => [bucket, new Binary(list)]));
}

function pushedLists(messages: readonly Findable[]): Record<string, StoredBytes> {
  return Object.fromEntries(Array.from(listsOf(messages), ([bucket, list]) => [`lists.${bucket}`, list]));
}

function pushedFilter(keys: ReadonlySet<number>): Record<string, StoredBytes> {
  const { size, filter } = packFilter(keys);
  return { [`filters.${size}`]: new Binary(filter) };
}

function keysOf(messages: readonly Findable[]): Set<number> {
  return new Set(messages.flatMap(({ keys }) => [...filteredKeys(keys)]));
}

const withRoomFor = ({ size }: ReadonlySet<number>, sizes: ChunkSizes) => ({
  given: { $not: { $gt: sizes.keys - size } },
});

/** Null when an upsert met a document that its filter did not fit, as when nothing was there to update. */
async function unlessTaken<T>(update: Promise<T | null>): Promise<T | null> {
  try {
    return await update;
  } catch (error) {
    if (isDuplicateKey(error)) return null;
    throw error;
  }
}
