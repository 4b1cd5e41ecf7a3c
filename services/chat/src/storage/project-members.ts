import { committed, durable, operationMs } from '@bluewave/mongo/connect';
import { storeUuid, type StoredUuid } from '@bluewave/mongo/uuid';
import { listingOf } from '../conversations/room-listing.ts';
import { newMembership } from '../log/conversation-state.ts';
import type { Ban, ConversationInfo, LogEntry } from '../log/entry.ts';
import type { ChatCollections, ConversationDocument, MemberDocument } from './collections.ts';
import { infoOf } from './conversation-document.ts';
import { fromDocument } from './entry-document.ts';

const read = { ...committed, maxTimeMS: operationMs } as const;
const write = { ...durable, maxTimeMS: operationMs } as const;
const page = 500;

/** Brings `conversations` and `members` up to the conversation's last committed permission entry. */
export async function projectMembers(collections: ChatCollections, conversationId: string): Promise<void> {
  const c = storeUuid(conversationId);
  for (let more = true; more;) {
    const conversation = await collections.conversations.findOne({ _id: c }, read);
    const open = await collections.entries
      .find({ c, permission: true, '_id.s': { $gt: conversation?.appliedSeq ?? 0 } }, { ...read, limit: page })
      .sort({ '_id.s': 1 })
      .toArray();
    if (open.length > 0) await applyEntries(collections, c, conversation, open.map(fromDocument));
    more = open.length === page;
  }
}

async function applyEntries(
  collections: ChatCollections,
  c: StoredUuid,
  before: ConversationDocument | null,
  entries: LogEntry[],
): Promise<void> {
  let info = before ? infoOf(before) : null;
  const operations: MemberOperation[] = [];
  let shared: Partial<ConversationDocument> = {};
  for (const entry of entries) {
    const { body } = entry;
    if (body.type === 'member:added' && body.created) {
      info = body.created;
      shared = { ...shared, ...shareOf(info), createdAt: new Date(entry.at) };
    } else if (body.type === 'conversation:updated' && info) {
      info = { ...info, ...body.changes };
      shared = { ...shared, ...body.changes };
    } else if (body.type === 'conversation:deleted') {
      shared = { ...shared, deletedAt: new Date(entry.at) };
    }
    operations.push(...memberOperations(c, entry, info));
  }
  if (operations.length > 0) await collections.members.bulkWrite(operations, { ...write, ordered: true });
  await beginAtFloor(collections, c, entries);
  const memberCount = await collections.members.countDocuments({ c, leftSeq: null }, read);
  const last = entries.at(-1) as LogEntry;
  const listing =
    info?.type === 'room' ? { listing: listingOf({ id: last.conversationId, name: info.name, memberCount }) } : {};
  const next = { ...shared, ...listing, memberCount, updatedAt: new Date(last.at), appliedSeq: last.seq };
  await collections.conversations.updateOne(
    { _id: c },
    [{ $replaceWith: { $cond: [olderThan(last.seq), { $mergeObjects: ['$$ROOT', { $literal: next }] }, '$$ROOT'] } }],
    { ...write, upsert: true },
  );
}

/**
 * Lets nobody who was added begin before what retention left of the log. Asked after they were written: retention
 * says where the log begins before it looks for members that begin earlier, so one of the two finds them.
 */
async function beginAtFloor(collections: ChatCollections, c: StoredUuid, entries: LogEntry[]): Promise<void> {
  const added = entries.flatMap(({ body }) => (body.type === 'member:added' ? body.userIds : []));
  if (added.length === 0) return;
  const { floor = 1 } =
    (await collections.conversations.findOne({ _id: c }, { ...read, projection: { floor: 1 } })) ?? {};
  if (floor === 1) return;
  await collections.members.updateMany(
    { _id: { $in: added.map((userId) => ({ c, u: storeUuid(userId) })) }, firstSeq: { $lt: floor } },
    { $set: { firstSeq: floor } },
    write,
  );
}

function shareOf(info: ConversationInfo): Partial<ConversationDocument> {
  return { ...info, createdBy: storeUuid(info.createdBy) };
}

function olderThan(seq: number) {
  return { $lt: [{ $ifNull: ['$appliedSeq', 0] }, seq] };
}

type MemberOperation = Parameters<ChatCollections['members']['bulkWrite']>[0][number];

function memberOperations(c: StoredUuid, entry: LogEntry, info: ConversationInfo | null): MemberOperation[] {
  const { body, seq, at } = entry;
  switch (body.type) {
    case 'member:added':
      return body.userIds.map((userId) =>
        upsertMember(c, userId, seq, {
          ...{ ...newMembership(info, entry, userId), joinedAt: new Date(at), leftSeq: null },
          ban: '$$REMOVE',
        }),
      );
    case 'member:removed':
      return [upsertMember(c, body.userId, seq, { leftSeq: seq, ...(body.ban ? { ban: storeBan(body.ban) } : {}) })];
    case 'member:updated':
      return [
        upsertMember(c, body.userId, seq, { role: body.role }),
        ...(body.demoted === undefined ? [] : [upsertMember(c, body.demoted, seq, { role: 'admin' })]),
      ];
    case 'conversation:updated':
      return [
        ...(body.banned
          ? [upsertMember(c, body.banned.userId, seq, { leftSeq: seq, ban: storeBan(body.banned) })]
          : []),
        ...(body.lifted === undefined ? [] : [upsertMember(c, body.lifted, seq, { ban: '$$REMOVE' })]),
      ];
    case 'conversation:deleted':
      return [everybodyLeaves(c, seq)];
    default:
      return [];
  }
}

type MemberFields = Partial<Omit<MemberDocument, 'ban'>> & { ban?: MemberDocument['ban'] | '$$REMOVE' };

function storeBan({ reason, until }: Ban): { reason: string; until: Date | null } {
  return { reason, until: until === null ? null : new Date(until) };
}

/**
 * Sets fields of a membership (`$$REMOVE` takes one away) unless a later entry is reflected already; the rest stays.
 * Only what says whether somebody is a member makes a document.
 */
function upsertMember(c: StoredUuid, userId: string, seq: number, fields: MemberFields): MemberOperation {
  const u = storeUuid(userId);
  const set = Object.fromEntries(
    Object.entries<unknown>({ ...fields, c, u, appliedSeq: seq }).map(([name, value]) => [
      name,
      { $cond: [olderThan(seq), value === '$$REMOVE' ? value : { $literal: value }, `$${name}`] },
    ]),
  );
  return { updateOne: { filter: { _id: { c, u } }, update: [{ $set: set }], upsert: 'leftSeq' in fields } };
}

function everybodyLeaves(c: StoredUuid, seq: number): MemberOperation {
  return {
    updateMany: {
      filter: { c, leftSeq: null, appliedSeq: { $lt: seq } },
      update: { $set: { leftSeq: seq, appliedSeq: seq } },
    },
  };
}
