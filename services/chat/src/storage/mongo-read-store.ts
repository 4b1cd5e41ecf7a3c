import { committed, operationMs } from '@bluewave/mongo/connect';
import type { ReadPlace } from '@bluewave/mongo/relaxed-reads';
import { readUuid, storeUuid } from '@bluewave/mongo/uuid';
import type { Address, ReadStore, Unread } from '../reading/read-store.ts';
import type { ChatCollections, MemberDocument } from './collections.ts';
import { fromConversation, fromMember } from './presented-documents.ts';
import { addressRange, type EntryDocument, fromDocument } from './entry-document.ts';
import { listReads } from './mongo-list-reads.ts';
import { overviewReads } from './mongo-overview.ts';
import { headPipeline, lastMessagePipeline, lookUpHead, unreadPipeline } from './pipelines.ts';
import { roomReads } from './room-reads.ts';
import { unprojectedReads } from './unprojected.ts';

const read = { ...committed, maxTimeMS: operationMs } as const;

/** @param relaxedReads where the list of rooms is read from; everything else has to be as of now */
export function createMongoReadStore(collections: ChatCollections, relaxedReads: ReadPlace = 'primary'): ReadStore {
  return {
    ...memberReads(collections),
    ...headReads(collections),
    ...entryReads(collections),
    ...ownReads(collections),
    ...uploadReads(collections),
    ...overviewReads(collections),
    ...listReads(collections),
    ...roomReads(collections, relaxedReads),
    ...unprojectedReads(collections),
  };
}

const leastPointers = {
  readSeq: { $min: { $ifNull: ['$readSeq', 0] } },
  deliveredSeq: { $min: { $ifNull: ['$deliveredSeq', 0] } },
};

type MemberReads = Pick<
  ReadStore,
  | 'membership'
  | 'membershipsIn'
  | 'memberOf'
  | 'members'
  | 'directMembers'
  | 'leastPointers'
  | 'leastPointersOf'
  | 'recipients'
  | 'acquainted'
>;

function memberReads({ members }: ChatCollections): MemberReads {
  return {
    async membership(conversationId, userId) {
      const _id = { c: storeUuid(conversationId), u: storeUuid(userId) };
      const found = await members.findOne({ _id, leftSeq: null }, read);
      return found ? fromMember(found) : null;
    },
    async membershipsIn(userId, conversationIds) {
      const u = storeUuid(userId);
      const ids = conversationIds.map((id) => ({ c: storeUuid(id), u }));
      return (await members.find({ _id: { $in: ids }, leftSeq: null }, read).toArray()).map(fromMember);
    },
    async memberOf(userId, conversationIds) {
      const u = storeUuid(userId);
      const ids = conversationIds.map((id) => ({ c: storeUuid(id), u }));
      const found = await members
        .find({ _id: { $in: ids }, leftSeq: null }, { ...read, projection: { c: 1, firstSeq: 1 } })
        .toArray();
      return new Map(found.map(({ c, firstSeq }) => [readUuid(c), firstSeq]));
    },
    async members(conversationId, afterUserId, limit) {
      const after = afterUserId === null ? {} : { u: { $gt: storeUuid(afterUserId) } };
      const filter = { c: storeUuid(conversationId), leftSeq: null, ...after };
      const found = await members
        .find(filter, { ...read, limit })
        .sort({ u: 1 })
        .toArray();
      return found.map(fromMember);
    },
    async directMembers(conversationIds) {
      const pairs = new Map<string, string[]>();
      const found = await members
        .find({ c: { $in: conversationIds.map(storeUuid) } }, { ...read, projection: { c: 1, u: 1 } })
        .toArray();
      for (const { c, u } of found) {
        const id = readUuid(c);
        pairs.set(id, [...(pairs.get(id) ?? []), readUuid(u)]);
      }
      return pairs;
    },
    async leastPointers(conversationId, butUserId) {
      const [least] = await members
        .aggregate<{ readSeq: number; deliveredSeq: number }>(
          [
            { $match: { c: storeUuid(conversationId), leftSeq: null, u: { $ne: storeUuid(butUserId) } } },
            { $group: { _id: null, ...leastPointers } },
          ],
          read,
        )
        .toArray();
      return least ?? null;
    },
    async leastPointersOf(conversationIds, butUserId) {
      const rows = await members
        .aggregate<{ _id: MemberDocument['c']; readSeq: number; deliveredSeq: number }>(
          [
            { $match: { c: { $in: conversationIds.map(storeUuid) }, leftSeq: null, u: { $ne: storeUuid(butUserId) } } },
            { $group: { _id: '$c', ...leastPointers } },
          ],
          read,
        )
        .toArray();
      return new Map(rows.map(({ _id, ...least }) => [readUuid(_id), least]));
    },
    async recipients(conversationId, seq, butUserId) {
      const filter = { c: storeUuid(conversationId), leftSeq: null, joinedSeq: { $lte: seq } };
      const found = await members.find({ ...filter, u: { $ne: storeUuid(butUserId) } }, read).toArray();
      return found.map(fromMember);
    },
    async acquainted(userId, others) {
      const own = await members
        .find({ u: storeUuid(userId), leftSeq: null }, { ...read, projection: { c: 1 } })
        .toArray();
      const shared = await members
        .aggregate<{ _id: MemberDocument['u'] }>(
          [
            { $match: { u: { $in: others.map(storeUuid) }, leftSeq: null, c: { $in: own.map(({ c }) => c) } } },
            { $group: { _id: '$u' } },
          ],
          read,
        )
        .toArray();
      return shared.map(({ _id }) => readUuid(_id));
    },
  };
}

type HeadReads = Pick<ReadStore, 'shared' | 'headsOf' | 'membershipsWithHeads' | 'heads' | 'lastMessages' | 'unread'>;

function headReads({ conversations, members }: ChatCollections): HeadReads {
  type HeadRow = { c: MemberDocument['c']; last: { seq: number; at: Date }[] };
  const toHeads = (rows: HeadRow[]) =>
    rows.flatMap(({ c, last: [last] }) =>
      last ? [{ conversationId: readUuid(c), seq: last.seq, at: last.at.getTime() }] : [],
    );
  return {
    async shared(conversationIds) {
      const found = await conversations.find({ _id: { $in: conversationIds.map(storeUuid) } }, read).toArray();
      return new Map(found.map((document) => [readUuid(document._id), fromConversation(document)]));
    },
    async headsOf(userId) {
      const match = { $match: { u: storeUuid(userId), leftSeq: null } };
      return toHeads(await members.aggregate<HeadRow>([match, ...headPipeline('$c')], read).toArray());
    },
    async membershipsWithHeads(userId) {
      const match = { $match: { u: storeUuid(userId), leftSeq: null } };
      const rows = await members.aggregate<MemberDocument & HeadRow>([match, lookUpHead('$c', 'last')], read).toArray();
      return { memberships: rows.map(fromMember), heads: toHeads(rows) };
    },
    async heads(conversationIds) {
      const match = { $match: { _id: { $in: conversationIds.map(storeUuid) } } };
      const asMember = { $project: { _id: 0, c: '$_id' } };
      return toHeads(await conversations.aggregate<HeadRow>([match, asMember, ...headPipeline('$c')], read).toArray());
    },
    async lastMessages(conversationIds) {
      const match = { $match: { _id: { $in: conversationIds.map(storeUuid) } } };
      const rows = await conversations
        .aggregate<{ last: EntryDocument[] }>([match, ...lastMessagePipeline], read)
        .toArray();
      const entries = rows.flatMap(({ last }) => last.map(fromDocument));
      return new Map(entries.map((entry) => [entry.conversationId, entry]));
    },
    async unread(memberships) {
      const ids = memberships.map(({ conversationId, userId }) => ({
        c: storeUuid(conversationId),
        u: storeUuid(userId),
      }));
      const rows = await members
        .aggregate<{ c: MemberDocument['c']; unread: Unread[] }>(
          [{ $match: { _id: { $in: ids } } }, ...unreadPipeline],
          read,
        )
        .toArray();
      return new Map(rows.map(({ c, unread }) => [readUuid(c), unread[0] ?? { count: 0, mentions: 0 }]));
    },
  };
}

type EntryReads = Pick<ReadStore, 'entry' | 'entries' | 'entriesAt' | 'entriesAfter' | 'messages'>;

/** Messages, and what `reading/system-notes.ts` makes system messages of. */
const toldAsMessages = [
  { 'body.type': 'message:new' as const },
  { 'body.type': 'member:added' as const, 'body.created': null },
  { 'body.type': 'member:removed' as const },
  { 'body.type': 'conversation:updated' as const, 'body.changes.name': { $exists: true } },
];

function entryReads({ entries }: ChatCollections): EntryReads {
  return {
    async entry(conversationId, seq) {
      const found = await entries.findOne({ _id: { c: storeUuid(conversationId), s: seq } }, read);
      return found ? fromDocument(found) : null;
    },
    async entries(conversationId, seqs) {
      const c = storeUuid(conversationId);
      const found = await entries.find({ _id: { $in: seqs.map((s) => ({ c, s })) } }, read).toArray();
      return found.map(fromDocument);
    },
    async entriesAt(addresses) {
      if (addresses.length === 0) return [];
      const ids = addresses.map(({ conversationId, seq }) => ({ c: storeUuid(conversationId), s: seq }));
      return (await entries.find({ _id: { $in: ids } }, { ...read, batchSize: ids.length + 1 }).toArray()).map(
        fromDocument,
      );
    },
    async entriesAfter(conversationId, after, limit) {
      const found = await entries
        .find(addressRange(conversationId, after), { ...read, limit })
        .sort({ _id: 1 })
        .toArray();
      return found.map(fromDocument);
    },
    async messages(conversationId, { from, to }, ascending, limit) {
      const filter = { ...addressRange(conversationId, from, to - 1), $or: toldAsMessages };
      const found = await entries
        .find(filter, { ...read, limit })
        .sort({ _id: ascending ? 1 : -1 })
        .toArray();
      return found.map(fromDocument);
    },
  };
}

const keyOf = (c: EntryDocument['c'], s: number): string => `${readUuid(c)}:${s}`;

/** What only one reader sees of messages. */
function ownReads({ stars, reactions }: ChatCollections): Pick<ReadStore, 'starredOf' | 'reactionsOf'> {
  const seqsByConversation = (messages: readonly Address[]): [string, number[]][] => {
    const seqs = new Map<string, number[]>();
    for (const { conversationId, seq } of messages) {
      seqs.set(conversationId, [...(seqs.get(conversationId) ?? []), seq]);
    }
    return [...seqs];
  };
  return {
    async starredOf(userId, messages) {
      if (messages.length === 0) return new Set();
      const u = storeUuid(userId);
      const ids = messages.map(({ conversationId, seq }) => ({ u, c: storeUuid(conversationId), s: seq }));
      const found = await stars.find({ _id: { $in: ids }, on: true }, { ...read, projection: { _id: 1 } }).toArray();
      return new Set(found.map(({ _id }) => keyOf(_id.c, _id.s)));
    },
    async reactionsOf(userId, messages) {
      const own = new Map<string, Set<string>>();
      if (messages.length === 0) return own;
      const u = storeUuid(userId);
      const of = seqsByConversation(messages).map(([id, seqs]) => ({ u, c: storeUuid(id), s: { $in: seqs } }));
      const found = await reactions.find({ $or: of, on: true }, read).toArray();
      for (const { c, s, e } of found) own.set(keyOf(c, s), (own.get(keyOf(c, s)) ?? new Set()).add(e));
      return own;
    },
  };
}

function uploadReads({
  entries,
  members,
  conversations,
}: ChatCollections): Pick<ReadStore, 'showsUpload' | 'conversationsShowing'> {
  const inMessages = async (uploadId: string) => {
    const found = await entries
      .aggregate<{ _id: EntryDocument['c'] }>(
        [{ $match: { uploads: storeUuid(uploadId) } }, { $group: { _id: '$c' } }, { $limit: 1_000 }],
        read,
      )
      .toArray();
    return found.map(({ _id }) => _id);
  };
  const asAvatar = (uploadId: string) =>
    conversations
      .find({ avatar: uploadId, deletedAt: { $exists: false } }, { ...read, limit: 1_000, projection: { type: 1 } })
      .toArray();
  return {
    async showsUpload(userId, uploadId) {
      const u = storeUuid(userId);
      const [inSome, pictured] = await Promise.all([inMessages(uploadId), asAvatar(uploadId)]);
      if (pictured.some(({ type }) => type === 'room')) return true;
      const ids = [...inSome, ...pictured.map(({ _id }) => _id)].map((c) => ({ c, u }));
      return (
        (await members.findOne({ _id: { $in: ids }, leftSeq: null }, { ...read, projection: { _id: 1 } })) !== null
      );
    },
    async conversationsShowing(uploadId) {
      const [inSome, pictured] = await Promise.all([inMessages(uploadId), asAvatar(uploadId)]);
      return [...new Set([...inSome, ...pictured.map(({ _id }) => _id)].map(readUuid))];
    },
  };
}
