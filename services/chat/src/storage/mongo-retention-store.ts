import { committed, durable, operationMs } from '@bluewave/mongo/connect';
import { readUuid, storeUuid } from '@bluewave/mongo/uuid';
import type { Archiving, RetentionStore } from '../retention/retention-store.ts';
import type { ArchivedEntryDocument, ChatCollections, ConversationDocument } from './collections.ts';
import { addressRange } from './entry-document.ts';
import { unprojectedReads } from './unprojected.ts';

const read = { ...committed, maxTimeMS: operationMs } as const;
const write = { ...durable, maxTimeMS: operationMs } as const;
const membersAtOnce = 1_000;

/** @param archiveMs how long entries stay in the archive, milliseconds; 0 for ever. */
export function createMongoRetentionStore(collections: ChatCollections, archiveMs: number): RetentionStore {
  return { ...planning(collections), ...hiding(collections), ...moving(collections, archiveMs) };
}

type Planning = Pick<RetentionStore, 'doneUpTo' | 'due' | 'look' | 'lookLater' | 'begin'>;

function planning(collections: ChatCollections): Planning {
  const { conversations, entries } = collections;
  return {
    doneUpTo: unprojectedReads(collections).doneUpTo,
    async due(olderThan, limit) {
      const [at, options] = [new Date(olderThan), { ...read, limit, projection: { _id: 1 } }];
      const idle = { archiving: { $exists: false } };
      const known = await conversations
        .find({ lookFrom: { $lt: at }, ...idle }, options)
        .sort({ lookFrom: 1 })
        .toArray();
      const unknown = await conversations
        .find({ lookFrom: { $exists: false }, createdAt: { $lt: at }, ...idle }, options)
        .sort({ createdAt: 1 })
        .toArray();
      return [...known, ...unknown].map(({ _id }) => readUuid(_id));
    },
    async look(conversationId, olderThan, most) {
      const ends = { ...read, limit: 1, projection: { _id: 1 } };
      const all = addressRange(conversationId, 0);
      const first = await entries.find(all, ends).sort({ _id: 1 }).next();
      const last = await entries.find(all, ends).sort({ _id: -1 }).next();
      if (!first || !last) return null;
      const lookedTo = Math.min(first._id.s + most - 1, last._id.s);
      const young = await entries
        .find(
          { ...addressRange(conversationId, first._id.s - 1, lookedTo), at: { $gte: new Date(olderThan) } },
          { ...ends, projection: { at: 1 } },
        )
        .sort({ _id: 1 })
        .next();
      return {
        ...{ first: first._id.s, head: last._id.s, lookedTo },
        young: young ? { seq: young._id.s, at: young.at.getTime() } : undefined,
      };
    },
    async lookLater(conversationId, lookFrom) {
      await conversations.updateOne(
        { _id: storeUuid(conversationId), archiving: { $exists: false } },
        { $set: { lookFrom: new Date(lookFrom) } },
        write,
      );
    },
    async begin(conversationId, floor, lookFrom, now) {
      const archiving = { since: new Date(now), hidden: false, lookFrom: new Date(lookFrom) };
      const { matchedCount } = await conversations.updateOne(
        { _id: storeUuid(conversationId), archiving: { $exists: false } },
        { $max: { floor }, $set: { archiving } },
        write,
      );
      return matchedCount > 0;
    },
  };
}

type Hiding = Pick<RetentionStore, 'underWay' | 'hide' | 'noteHidden'>;

function hiding({ conversations, members }: ChatCollections): Hiding {
  return {
    async underWay(after, limit) {
      const since = after === null ? { $exists: true } : { $gt: new Date(after.since) };
      const found = await conversations
        .find({ 'archiving.since': since }, { ...read, limit, projection: { floor: 1, archiving: 1 } })
        .sort({ 'archiving.since': 1 })
        .toArray();
      return found.flatMap(toArchiving);
    },
    async hide(conversationId, floor, afterUserId) {
      const c = storeUuid(conversationId);
      const after = afterUserId === null ? {} : { u: { $gt: storeUuid(afterUserId) } };
      // Those who left read nothing, and begin anew when they come back.
      const some = await members
        .find({ c, leftSeq: null, ...after }, { ...read, limit: membersAtOnce, projection: { u: 1 } })
        .sort({ u: 1 })
        .toArray();
      const ids = some.map(({ _id }) => _id);
      await members.updateMany({ _id: { $in: ids }, firstSeq: { $lt: floor } }, { $max: { firstSeq: floor } }, write);
      const last = some.at(-1);
      return last && some.length === membersAtOnce ? readUuid(last.u) : null;
    },
    async noteHidden(conversationId, floor, now) {
      await conversations.updateOne(
        { _id: storeUuid(conversationId), floor, 'archiving.hidden': false },
        { $set: { 'archiving.hidden': true, 'archiving.since': new Date(now) } },
        write,
      );
    },
  };
}

type Moving = Pick<RetentionStore, 'copy' | 'removeMarks' | 'removeEntries' | 'finish'>;

function moving(
  { entries, archivedEntries, reactions, stars, forwards, conversations }: ChatCollections,
  archiveMs: number,
): Moving {
  return {
    async copy(conversationId, floor, limit, now) {
      const found = await entries
        .find(addressRange(conversationId, 0, floor - 1), { ...read, limit })
        .sort({ _id: 1 })
        .toArray();
      if (found.length === 0) return [];
      const expiry = archiveMs > 0 ? { expireAt: new Date(now + archiveMs) } : {};
      const copies = found.map((entry): ArchivedEntryDocument => ({ ...entry, archivedAt: new Date(now), ...expiry }));
      await archivedEntries.bulkWrite(
        copies.map((copy) => ({ replaceOne: { filter: { _id: copy._id }, replacement: copy, upsert: true } })),
        { ...write, ordered: false },
      );
      return found.map(({ _id }) => _id.s);
    },
    async removeMarks(conversationId, seqs) {
      const c = storeUuid(conversationId);
      const s = { $in: [...seqs] };
      await reactions.deleteMany({ c, s }, write);
      await stars.deleteMany({ '_id.c': c, '_id.s': s }, write);
      await forwards.deleteMany({ '_id.c': c, '_id.s': s }, write);
    },
    async removeEntries(conversationId, seqs) {
      const c = storeUuid(conversationId);
      await entries.deleteMany({ _id: { $in: seqs.map((s) => ({ c, s })) } }, write);
    },
    async finish(conversationId, floor) {
      await conversations.updateOne(
        { _id: storeUuid(conversationId), floor, 'archiving.hidden': true },
        [{ $set: { lookFrom: '$archiving.lookFrom', archiving: '$$REMOVE' } }],
        write,
      );
    },
  };
}

function toArchiving({ _id, floor, archiving }: ConversationDocument): Archiving[] {
  if (!archiving || floor === undefined) return [];
  const { since, hidden } = archiving;
  return [{ conversationId: readUuid(_id), floor, since: since.getTime(), hidden }];
}
