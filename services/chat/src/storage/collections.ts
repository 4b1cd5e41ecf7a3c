import type { StoredUuid } from '@bluewave/mongo/uuid';
import type { Connection } from 'mongoose';
import type mongoose from 'mongoose';
import type { EntryDocument } from './entry-document.ts';
import { ensurePeopleIndexes, type PeopleCollections, peopleCollections } from './people-collections.ts';

/** Shared facts of a conversation: a projection of its log up to `appliedSeq`. `_id` is the conversation. */
export type ConversationDocument = {
  _id: StoredUuid;
  type: 'direct' | 'group' | 'room';
  name: string;
  description: string;
  createdBy: StoredUuid;
  createdAt: Date;
  updatedAt: Date;
  memberCount: number;
  appliedSeq: number;
};

/**
 * A membership, and the member's own pointers. What the log says (role, joined, left) is a projection up to
 * `appliedSeq`; pointers are this collection's own and only move forward. `leftSeq` is null for members.
 */
export type MemberDocument = {
  _id: { c: StoredUuid; u: StoredUuid };
  c: StoredUuid;
  u: StoredUuid;
  role: 'owner' | 'admin' | 'moderator' | 'member';
  joinedSeq: number;
  joinedAt: Date;
  leftSeq: number | null;
  appliedSeq: number;
  readSeq?: number;
  deliveredSeq?: number;
};

/** One boot of a chat process: see log/boot-lease.ts. Claimed and passed over by recovery. */
export type BootDocument = {
  _id: StoredUuid;
  watermark: Date;
  leaseUntil: Date;
  claimedUntil?: Date;
  passes?: number;
  nextPassAt?: Date;
};

type Collection<T extends mongoose.mongo.Document> = mongoose.mongo.Collection<T>;

export type ChatCollections = {
  db: mongoose.mongo.Db;
  entries: Collection<EntryDocument>;
  conversations: Collection<ConversationDocument>;
  members: Collection<MemberDocument>;
  boots: Collection<BootDocument>;
  people: PeopleCollections;
};

/** The native collections of a mongoose connection: the hot path has no use for models. */
export function chatCollections(connection: Connection): ChatCollections {
  const db = connection.db;
  if (!db) throw new Error('the connection is not open');
  return {
    db,
    entries: db.collection('entries'),
    conversations: db.collection('conversations'),
    members: db.collection('members'),
    boots: db.collection('boots'),
    people: peopleCollections(db),
  };
}

/**
 * Creates what is missing. Safe with many replicas at once. Every unique index starts with the shard key, so it stays
 * global for a conversation in a sharded cluster.
 */
export async function ensureIndexes(collections: ChatCollections): Promise<void> {
  await Promise.all([
    collections.entries.createIndexes([
      { key: { c: 1, senderId: 1, clientMsgId: 1 }, name: 'client_id', unique: true },
      // For republishing. Each boot writes at its own right edge, so this costs an insert no more than `at` alone would.
      { key: { by: 1, at: 1 }, name: 'boot' },
      { key: { c: 1, '_id.s': 1 }, name: 'permissions', partialFilterExpression: { permission: true } },
      { key: { uploads: 1 }, name: 'uploads', partialFilterExpression: { uploads: { $exists: true } } },
    ]),
    collections.members.createIndexes([
      { key: { u: 1, leftSeq: 1 }, name: 'user' },
      { key: { c: 1, leftSeq: 1, u: 1 }, name: 'conversation' },
    ]),
    collections.boots.createIndexes([{ key: { leaseUntil: 1 }, name: 'lease' }]),
    ensurePeopleIndexes(collections.people),
  ]);
}
