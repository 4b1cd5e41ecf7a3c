import { committed, operationMs } from '@bluewave/mongo/connect';
import { callMs } from '@bluewave/mongo/deadlined-stores';
import { readUuid, storeUuid } from '@bluewave/mongo/uuid';
import { within } from '@bluewave/runtime/deadline';
import type { Logger } from '@bluewave/runtime/logger';
import { type ConversationState, emptyState, foldPermissions, noteMessage } from '../log/conversation-state.ts';
import type { EntryStore, InsertOutcome } from '../log/entry-store.ts';

import type { ChatCollections, ConversationDocument, MemberDocument } from './collections.ts';
import { infoOf } from './conversation-document.ts';
import { addressRange, fromDocument, toDocument } from './entry-document.ts';

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
  // In this order: a projection writes its members first and says so in the conversation last.
  const conversation = await collections.conversations.findOne({ _id: c }, read);
  const members = await collections.members.find({ c, leftSeq: null }, read).toArray();
  const banned = await collections.members.find({ c, ban: { $exists: true } }, read).toArray();
  const last = await collections.entries
    .find(addressRange(conversationId, 0), { ...read, limit: 1, projection: { _id: 1 } })
    .sort({ _id: -1 })
    .next();
  const state = stateOf(conversationId, conversation, members, banned);
  if (!last) return state;
  const open = await collections.entries
    .find({ c, permission: true, '_id.s': { $gt: conversation?.appliedSeq ?? 0, $lte: last._id.s } }, read)
    .sort({ '_id.s': 1 })
    .toArray();
  for (const document of open) foldPermissions(state, fromDocument(document));
  state.head = last._id.s;
  const { slowModeSeconds } = state.info ?? {};
  if (slowModeSeconds) await noteLastMessages(collections, state, now() - slowModeSeconds * 1_000);
  return state;
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
