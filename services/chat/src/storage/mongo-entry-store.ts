import { committed, operationMs } from '@bluewave/mongo/connect';
import { callMs } from '@bluewave/mongo/deadlined-stores';
import { readUuid, storeUuid } from '@bluewave/mongo/uuid';
import { within } from '@bluewave/runtime/deadline';
import type { Logger } from '@bluewave/runtime/logger';
import { type ConversationState, emptyState, foldPermissions, noteMessage } from '../log/conversation-state.ts';
import type { EntryStore, InsertOutcome } from '../log/entry-store.ts';

import type { ChatCollections, ConversationDocument, MemberDocument } from './collections.ts';
import { infoOf } from './conversation-document.ts';
import { addressRange, type EntryDocument, fromDocument, toDocument } from './entry-document.ts';

const duplicateKey = 11_000;
/** An insert does not reject: its outcome is unknown by then, and told before a deadline of the store is over. */
const insertMs = callMs - 1_000;
const slowModeLooksBack = 1_000;

type InsertReply = {
  writeErrors?: { index: number; code: number; keyPattern?: Record<string, unknown> }[];
  writeConcernError?: { errmsg: string };
};

/** Reads that cannot be rolled back and end in time. */
const read = { ...committed, maxTimeMS: operationMs } as const;

/** @param now milliseconds since the epoch. */
export function createMongoEntryStore(collections: ChatCollections, log: Logger, now: () => number): EntryStore {
  const { entries } = collections;
  return {
    async insert(batch, ordered) {
      try {
        const inserting = collections.db.command({
          insert: entries.collectionName,
          documents: batch.map(toDocument),
          ordered,
          writeConcern: { w: 'majority', j: true, wtimeout: operationMs },
          maxTimeMS: operationMs,
        });
        const reply = await within(insertMs, 'MongoDB', inserting);
        return outcomesOf(reply, batch.length, ordered);
      } catch (error) {
        log.warn({ err: error, entries: batch.length }, 'the outcome of a write is unknown');
        return batch.map(() => 'unknown');
      }
    },
    async readAfter(conversationId, after, limit) {
      const found = await entries
        .find(addressRange(conversationId, after), { ...read, limit })
        .sort({ _id: 1 })
        .toArray();
      return found.map(fromDocument);
    },
    async findByClientMsgId(conversationId, senderId, clientMsgId) {
      const found = await entries.findOne(
        { c: storeUuid(conversationId), senderId: storeUuid(senderId), clientMsgId: storeUuid(clientMsgId) },
        read,
      );
      return found ? fromDocument(found) : null;
    },
    loadState: (conversationId) => loadState(collections, conversationId, now),
    async readByBoot(boot, fromAt, limit) {
      const found = await entries
        .find({ by: storeUuid(boot), at: { $gte: new Date(fromAt) } }, { ...read, limit })
        .sort({ at: 1 })
        .toArray();
      return found.map(fromDocument);
    },
  };
}

/** What an insert command's reply says of each document. */
export function outcomesOf(reply: InsertReply, count: number, ordered: boolean): InsertOutcome[] {
  // Without the write concern nothing is known to be durable, refused or not.
  if (reply.writeConcernError) return Array.from({ length: count }, () => 'unknown');
  const outcomes: InsertOutcome[] = Array.from({ length: count }, () => 'inserted');
  for (const error of reply.writeErrors ?? []) {
    outcomes[error.index] = outcomeOf(error);
    if (ordered) outcomes.fill('not-tried', error.index + 1);
  }
  return outcomes;
}

function outcomeOf(error: { code: number; keyPattern?: Record<string, unknown> }): InsertOutcome {
  if (error.code !== duplicateKey) return 'unknown';
  return error.keyPattern && 'clientMsgId' in error.keyPattern ? 'id-taken' : 'seq-taken';
}

/** What a conversation's state is made of, in the order in which it is read. */
type StatePart =
  | { kind: 'conversation'; document: ConversationDocument }
  | { kind: 'member' | 'banned'; document: MemberDocument }
  | { kind: 'last'; document: Pick<EntryDocument, '_id'> };

/**
 * The state as of the last committed entry: projections, then the permission entries they do not reflect yet. The
 * head is read before those entries, so that nothing at or below it is missed.
 */
async function loadState(
  collections: ChatCollections,
  conversationId: string,
  now: () => number,
): Promise<ConversationState> {
  const c = storeUuid(conversationId);
  const { conversation, members, banned, last } = await readParts(collections, conversationId);
  const state = stateOf(conversationId, conversation, members, banned);
  if (last === undefined) return state;
  const open = await collections.entries
    .find({ c, permission: true, '_id.s': { $gt: conversation?.appliedSeq ?? 0, $lte: last } }, read)
    .sort({ '_id.s': 1 })
    .toArray();
  for (const document of open) foldPermissions(state, fromDocument(document));
  state.head = last;
  const { slowModeSeconds } = state.info ?? {};
  if (slowModeSeconds) await noteLastMessages(collections, state, now() - slowModeSeconds * 1_000);
  return state;
}

/**
 * The projections and the last seq, in one command: a replica that has just started does this for every conversation
 * that it is asked about. `$unionWith` reads one after the other, and this order matters: a projection writes its
 * members first and says so in the conversation last.
 */
async function readParts({ conversations, entries, members }: ChatCollections, conversationId: string) {
  const c = storeUuid(conversationId);
  const as = (kind: StatePart['kind']) => ({ $replaceWith: { kind, document: '$$ROOT' } });
  const lastEntry = [
    { $match: addressRange(conversationId, 0) },
    { $sort: { _id: -1 as const } },
    { $limit: 1 },
    { $project: { _id: 1 } },
  ];
  const parts = await conversations
    .aggregate<StatePart>(
      [
        { $match: { _id: c } },
        as('conversation'),
        { $unionWith: { coll: members.collectionName, pipeline: [{ $match: { c, leftSeq: null } }, as('member')] } },
        {
          $unionWith: {
            coll: members.collectionName,
            pipeline: [{ $match: { c, ban: { $exists: true } } }, as('banned')],
          },
        },
        { $unionWith: { coll: entries.collectionName, pipeline: [...lastEntry, as('last')] } },
      ],
      read,
    )
    .toArray();
  const found = {
    conversation: null as ConversationDocument | null,
    members: [] as MemberDocument[],
    banned: [] as MemberDocument[],
    last: undefined as number | undefined,
  };
  for (const part of parts) {
    if (part.kind === 'conversation') found.conversation = part.document;
    else if (part.kind === 'last') found.last = part.document._id.s;
    else found[part.kind === 'member' ? 'members' : 'banned'].push(part.document);
  }
  return found;
}

/** Who spoke within the time that slow mode looks back; beyond so many entries the rest is forgiven. */
async function noteLastMessages(collections: ChatCollections, state: ConversationState, since: number): Promise<void> {
  const recent = await collections.entries
    .find(addressRange(state.id, 0, state.head), { ...read, limit: slowModeLooksBack })
    .sort({ _id: -1 })
    .toArray();
  for (const document of recent) {
    if (document.at.getTime() >= since) noteMessage(state, fromDocument(document));
  }
}

function stateOf(
  id: string,
  document: ConversationDocument | null,
  members: MemberDocument[],
  banned: MemberDocument[],
): ConversationState {
  const state = emptyState(id);
  if (document) {
    state.info = infoOf(document);
    state.createdAt = document.createdAt.getTime();
    state.updatedAt = document.updatedAt.getTime();
    state.deletedAt = document.deletedAt?.getTime() ?? null;
  }
  for (const { u, role, joinedSeq, joinedAt, firstSeq } of members) {
    const membership = { role, joinedSeq, joinedAt: joinedAt.getTime(), firstSeq, lastMessageAt: 0 };
    state.members.set(readUuid(u), membership);
  }
  for (const { u, ban } of banned) {
    if (ban) state.bans.set(readUuid(u), { reason: ban.reason, until: ban.until?.getTime() ?? null });
  }
  return state;
}
