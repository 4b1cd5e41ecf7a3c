import { committed, durable, operationMs } from '@bluewave/mongo/connect';
import { readUuid, storeUuid } from '@bluewave/mongo/uuid';
import type mongoose from 'mongoose';
import type { LogEntry } from '../log/entry.ts';
import { bitsOf, filterSizes } from '../search/key-filters.ts';
import { bucketOf, placesWithAll } from '../search/postings.ts';
import type { CandidateChunk, CandidatePage, CandidateRequest, SearchIndex } from '../search/search-index.ts';
import { filteredKeys, keysToFind, type SearchKeys } from '../search/search-keys.ts';
import { fromDocument } from './entry-document.ts';
import type { ChatCollections, ConversationDocument, SearchChunkDocument, StoredBytes } from './collections.ts';
import { coverInChunk, noteEdit } from './search-chunk-writes.ts';
import { chunkOf, type ChunkParts, type ChunkSizes } from './search-chunks.ts';

const read = { ...committed, maxTimeMS: operationMs } as const;
const write = { ...durable, maxTimeMS: operationMs } as const;

/** How many times the first page the largest one may be. */
const mostPages = 16;

const chunkSizes: ChunkSizes = { entries: 256, keys: 40_000, pieces: 16, page: 16, together: 2_048 };

/** An index of the words of messages by chunks of the log: see docs/adr. */
export function createMongoSearchIndex(collections: ChatCollections, sizes = chunkSizes): SearchIndex {
  const parts = { collections, sizes };
  return {
    async cover(conversationId, after, entries) {
      let covered = after;
      while (covered - after < entries.length) {
        const end = (chunkOf(covered + 1, sizes) + 1) * sizes.entries;
        const some = entries.slice(covered - after, end - after);
        if (!(await coverInChunk(parts, conversationId, covered, some))) return;
        covered += some.length;
      }
      const last = entries.at(-1);
      if (last) await noteCovered(collections, last);
    },
    coveredTo: (conversationId) => coveredTo(parts, conversationId),
    noteEdit: (conversationId, seq, text) => noteEdit(parts, conversationId, seq, text),
    async forget(conversationId, below) {
      const c = storeUuid(conversationId);
      const whole = { $gte: { c, n: 0 }, $lt: { c, n: chunkOf(below, sizes) } };
      await collections.searchChunks.deleteMany({ _id: whole }, write);
    },
    candidates: (request) => candidates(parts, request),
    findBehind: (afterId, limit) => findBehind(collections, afterId, limit),
  };
}

async function candidates(parts: ChunkParts, request: CandidateRequest): Promise<CandidatePage | null> {
  const { sizes } = parts;
  const keys = keysToFind(request.terms);
  const query = queryOf(request, keys);
  const firstSeqs = new Map(request.scopes.map(({ conversationId, firstSeq }) => [conversationId, firstSeq]));
  const chunksOf = (found: SearchChunkDocument[]) =>
    found.flatMap((document) => candidatesIn(document, [...keys.words], firstSeqs, sizes));
  if (request.order === 'none') {
    const all = await allChunks(parts, query, sizes.together);
    return all && { chunks: chunksOf(all), next: null };
  }
  const size = request.place?.size ?? sizes.page;
  const found = await newestChunks(parts, query, size);
  const oldest = found.at(-1);
  const isLast = found.length < size || oldest === undefined;
  // Whoever goes on is likely to need much: each request costs a seek in every conversation again.
  const next = isLast ? null : { below: oldest.lastAt.getTime(), size: Math.min(size * 4, sizes.page * mostPages) };
  return { chunks: chunksOf(found), next };
}

async function coveredTo({ collections, sizes }: ChunkParts, conversationId: string): Promise<number> {
  const c = storeUuid(conversationId);
  const found = await collections.conversations.findOne({ _id: c }, { ...read, projection: { indexed: 1 } });
  const noted = found?.indexed?.seq ?? 0;
  let covered = noted;
  // A process may have died before it noted what its chunks cover.
  for (let isFull = true; isFull;) {
    const _id = { c, n: chunkOf(covered + 1, sizes) };
    const chunk = await collections.searchChunks.findOne({ _id }, { ...read, projection: { upTo: 1 } });
    covered = Math.max(covered, chunk?.upTo ?? 0);
    isFull = chunk?.upTo === (_id.n + 1) * sizes.entries;
  }
  if (covered > noted) {
    const last = await collections.entries.findOne({ _id: { c, s: covered } }, read);
    if (last) await noteCovered(collections, fromDocument(last));
  }
  return covered;
}

/** How far the log is known to be covered, and the address after it: a log without an entry there ends here. */
async function noteCovered({ conversations }: ChatCollections, { conversationId, seq, at }: LogEntry): Promise<void> {
  const c = storeUuid(conversationId);
  await conversations.updateOne(
    { _id: c, 'indexed.seq': { $not: { $gte: seq } } },
    { $set: { indexed: { seq, at: new Date(at), next: { c, s: seq + 1 } } } },
    write,
  );
}

type Filter = mongoose.mongo.Filter<SearchChunkDocument>;

function filterOf({ scopes, from, to, place }: CandidateRequest): Filter {
  return {
    c: { $in: scopes.map(({ conversationId }) => storeUuid(conversationId)) },
    lastAt: { $gte: new Date(from), ...(place ? { $lte: new Date(place.below) } : {}) },
    ...(Number.isFinite(to) ? { firstAt: { $lte: new Date(to) } } : {}),
  };
}

/** Which chunks, and what of them is needed to look for these keys. */
type ChunkQuery = { filter: Filter; options: mongoose.mongo.FindOptions };

/** The filters are compared before a chunk leaves the server. */
function queryOf(request: CandidateRequest, keys: SearchKeys): ChunkQuery {
  const asked = filteredKeys(keys);
  const having = filterSizes.map((size) => ({ [`filters.${size}`]: { $bitsAllSet: bitsOf(asked, size) } }));
  const lists = Object.fromEntries([...keys.words].map((key) => [`lists.${bucketOf(key)}`, 1]));
  return {
    filter: { ...filterOf(request), $or: [...having, { full: true }] },
    options: {
      ...read,
      maxTimeMS: request.maxMs,
      hint: 'time',
      projection: { _id: 1, c: 1, lastAt: 1, edited: 1, ...lists },
    },
  };
}

async function newestChunks(
  { collections: { searchChunks } }: ChunkParts,
  { filter, options }: ChunkQuery,
  size: number,
): Promise<SearchChunkDocument[]> {
  for (let limit = size; ; limit *= 4) {
    const found = await searchChunks
      .find(filter, { ...options, limit, batchSize: limit })
      .sort({ lastAt: -1 })
      .toArray();
    // A page of one moment would come again for ever.
    if (found.length < limit || found[0]?.lastAt.getTime() !== found.at(-1)?.lastAt.getTime()) return found;
  }
}

/** In any order; null when there are more. To merge conversations by time costs several times as much as to go through them. */
async function allChunks(
  { collections: { searchChunks } }: ChunkParts,
  { filter, options }: ChunkQuery,
  most: number,
): Promise<SearchChunkDocument[] | null> {
  const limit = most + 1;
  const found = await searchChunks.find(filter, { ...options, limit, batchSize: limit }).toArray();
  return found.length > most ? null : found;
}

function candidatesIn(
  { _id, c, lastAt, lists = {}, edited = [] }: SearchChunkDocument,
  keys: number[],
  firstSeqs: Map<string, number>,
  sizes: ChunkSizes,
): CandidateChunk[] {
  const conversationId = readUuid(c);
  const firstSeq = firstSeqs.get(conversationId) ?? 1;
  const partsOf = (bucket: number) => (lists[bucket] ?? []).map(bytesOf);
  const places = new Set([...placesWithAll(partsOf, keys), ...edited]);
  const seqs = [...places].map((place) => _id.n * sizes.entries + place + 1).filter((seq) => seq >= firstSeq);
  seqs.sort((a, b) => b - a);
  return seqs.length > 0 ? [{ conversationId, seqs, newestAt: lastAt.getTime() }] : [];
}

const bytesOf = (part: StoredBytes): Buffer => Buffer.from(part.buffer.buffer, part.buffer.byteOffset, part.position);

/** In the order of ids; `indexed.next` names an entry only when the log goes on. */
async function findBehind({ conversations }: ChatCollections, afterId: string | null, limit: number) {
  const rows = await conversations
    .aggregate<{ _id: ConversationDocument['_id']; isBehind: boolean }>(
      [
        { $match: afterId === null ? {} : { _id: { $gt: storeUuid(afterId) } } },
        { $sort: { _id: 1 } },
        { $limit: limit },
        { $lookup: { from: 'entries', localField: 'indexed.next', foreignField: '_id', as: 'next' } },
        { $project: { isBehind: { $or: [{ $lte: ['$indexed', null] }, { $ne: ['$next', []] }] } } },
      ],
      read,
    )
    .toArray();
  const last = rows.length < limit ? undefined : rows.at(-1);
  return {
    behind: rows.filter(({ isBehind }) => isBehind).map(({ _id }) => readUuid(_id)),
    lastId: last ? readUuid(last._id) : null,
  };
}
