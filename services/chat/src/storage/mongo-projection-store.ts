import { committed, durable, operationMs } from '@bluewave/mongo/connect';
import { storeUuid, type StoredUuid } from '@bluewave/mongo/uuid';
import type { LogEntry } from '../log/entry.ts';
import type { ProjectionStore } from '../log/projections.ts';
import type { ChatCollections } from './collections.ts';
import { fromDocument } from './entry-document.ts';

const read = { ...committed, maxTimeMS: operationMs } as const;
const write = { ...durable, maxTimeMS: operationMs } as const;
const page = 500;

export function createMongoProjectionStore(collections: ChatCollections): ProjectionStore {
  return {
    async projectMembers(conversationId) {
      const c = storeUuid(conversationId);
      for (let more = true; more;) {
        const conversation = await collections.conversations.findOne({ _id: c }, read);
        const open = await collections.entries
          .find({ c, permission: true, '_id.s': { $gt: conversation?.appliedSeq ?? 0 } }, { ...read, limit: page })
          .sort({ '_id.s': 1 })
          .toArray();
        if (open.length > 0) await applyPermissions(collections, c, open.map(fromDocument));
        more = open.length === page;
      }
    },
    async projectEdit(entry) {
      const address = { c: storeUuid(entry.conversationId), s: entry.body.target };
      await collections.entries.updateOne(
        { _id: address },
        [
          {
            $set: {
              'body.edits': { $setUnion: [{ $ifNull: ['$body.edits', []] }, [entry.seq]] },
              'body.text': { $cond: [newest(entry.seq), entry.body.text, '$body.text'] },
              'body.editedAt': { $cond: [newest(entry.seq), entry.at, '$body.editedAt'] },
            },
          },
        ],
        write,
      );
      // A deletion that came first took the content of the edits it knew; this one it did not.
      const target = await collections.entries.findOne({ _id: address }, { ...read, projection: { body: 1 } });
      if (target && 'deletedAt' in target.body && target.body.deletedAt !== null) {
        await blankEdits(collections, address.c, [entry.seq]);
      }
    },
    async projectDeletion(entry) {
      const address = { c: storeUuid(entry.conversationId), s: entry.body.target };
      const before = await collections.entries.findOneAndUpdate(
        { _id: address },
        [
          {
            $set: {
              'body.text': '',
              'body.attachments': [],
              'body.deletedAt': { $ifNull: ['$body.deletedAt', entry.at] },
              uploads: '$$REMOVE',
            },
          },
        ],
        { ...write, returnDocument: 'after', projection: { 'body.edits': 1 } },
      );
      await blankEdits(collections, address.c, before?.body.edits ?? []);
    },
  };
}

/** An edit counts when no later one is known and the message is still there. */
function newest(seq: number) {
  return {
    $and: [{ $lt: [{ $ifNull: [{ $max: '$body.edits' }, 0] }, seq] }, { $eq: ['$body.deletedAt', null] }],
  };
}

async function blankEdits(collections: ChatCollections, c: StoredUuid, seqs: number[]): Promise<void> {
  if (seqs.length === 0) return;
  await collections.entries.updateMany(
    { _id: { $in: seqs.map((s) => ({ c, s })) } },
    { $set: { 'body.text': '' } },
    write,
  );
}

async function applyPermissions(collections: ChatCollections, c: StoredUuid, entries: LogEntry[]): Promise<void> {
  const operations = entries.flatMap((entry) => memberOperations(c, entry));
  if (operations.length > 0) await collections.members.bulkWrite(operations, { ...write, ordered: true });
  const memberCount = await collections.members.countDocuments({ c, leftSeq: null }, read);
  const last = entries.at(-1) as LogEntry;
  const first = entries[0] as LogEntry;
  const created = first.body.type === 'member:added' ? first.body.created : null;
  const shared = {
    memberCount,
    updatedAt: new Date(last.at),
    appliedSeq: last.seq,
    ...(created ? { ...created, createdBy: storeUuid(created.createdBy), createdAt: new Date(first.at) } : {}),
  };
  await collections.conversations.updateOne(
    { _id: c },
    [{ $replaceWith: { $cond: [olderThan(last.seq), { $mergeObjects: ['$$ROOT', { $literal: shared }] }, '$$ROOT'] } }],
    { ...write, upsert: true },
  );
}

function olderThan(seq: number) {
  return { $lt: [{ $ifNull: ['$appliedSeq', 0] }, seq] };
}

type MemberOperation = Parameters<ChatCollections['members']['bulkWrite']>[0][number];

function memberOperations(c: StoredUuid, entry: LogEntry): MemberOperation[] {
  const { body } = entry;
  if (body.type === 'member:added') {
    return body.userIds.map((userId) => {
      const owns = body.created !== null && body.created.type !== 'direct' && userId === entry.senderId;
      return upsertMember(c, storeUuid(userId), entry.seq, {
        role: owns ? 'owner' : 'member',
        joinedSeq: entry.seq,
        joinedAt: new Date(entry.at),
        leftSeq: null,
      });
    });
  }
  if (body.type === 'member:removed') {
    return [upsertMember(c, storeUuid(body.userId), entry.seq, { leftSeq: entry.seq })];
  }
  return [];
}

/** Sets fields of a membership unless a later entry is reflected already; pointers stay untouched. */
function upsertMember(c: StoredUuid, u: StoredUuid, seq: number, fields: object): MemberOperation {
  const next = { ...fields, appliedSeq: seq };
  return {
    updateOne: {
      filter: { _id: { c, u } },
      update: [
        {
          $replaceWith: {
            $cond: [olderThan(seq), { $mergeObjects: ['$$ROOT', { $literal: { c, u, ...next } }] }, '$$ROOT'],
          },
        },
      ],
      upsert: true,
    },
  };
}
