import type { StoredUuid } from '@bluewave/mongo/uuid';
import type { Connection } from 'mongoose';
import type mongoose from 'mongoose';
import type { RoomListing } from '../conversations/room-listing.ts';
import type { EntryAddress, EntryDocument } from './entry-document.ts';
import { type PeopleCollections, peopleCollections } from './people-collections.ts';

/** Shared facts of a conversation: a projection of its log up to `appliedSeq`. `_id` is the conversation. */
export type ConversationDocument = {
  _id: StoredUuid;
  type: 'direct' | 'group' | 'room';
  name: string;
  description: string;
  createdBy: StoredUuid;
  createdAt: Date;
  updatedAt: Date;
  avatar?: string;
  history?: 'all' | 'joined';
  slowModeSeconds?: number;
  deletedAt?: Date;
  memberCount: number;
  /** Of a room that can be found; null for one that no longer can. */
  listing?: RoomListing | null;
  appliedSeq: number;
  /**
   * Up to where the log is indexed for searching, the time of that entry, and the address after it. Addresses have no
   * holes: when there is no entry at `next`, this is the last one.
   */
  indexed?: { seq: number; at: Date; next: EntryAddress };
  /** First seq of the log that no retention has taken: nobody begins before it. Absent for the first. */
  floor?: number;
  /**
   * What is below the floor is on its way to the archive, since a time; `hidden`: no member can read it any more.
   * `lookFrom`: the next `lookFrom` of the conversation.
   */
  archiving?: { since: Date; hidden: boolean; lookFrom: Date };
  /** Retention looks for old entries when this is older than what is kept; absent for the time of creation. */
  lookFrom?: Date;
};

/** An entry that retention took from the log; `expireAt` is when it goes from here, too. */
export type ArchivedEntryDocument = EntryDocument & { archivedAt: Date; expireAt?: Date };

/** Who does a job that one process is enough for, and until when. `_id` is the job. */
export type JobDocument = { _id: string; holder: string; until: Date };

export type StoredBytes = InstanceType<typeof mongoose.mongo.BSON.Binary>;

/**
 * What may be found in a run of consecutive entries (see mongo-search-index.ts): in `filters`, by their size, which keys
 * its messages have, and in `lists`, by bucket of the keys, which place has which. Messages are in them as they were
 * covered together: all keys of one are in one filter, and in one packed list of each bucket. The messages at `edited`
 * places may have other words than `lists` say. `pieces` counts how often it was given keys, `given` how many; `full` says
 * that it takes no more: anything may be found there.
 */
export type SearchChunkDocument = {
  _id: { c: StoredUuid; n: number };
  c: StoredUuid;
  /** The last seq that is covered. */
  upTo: number;
  /** Times of the oldest and the youngest entry covered; only an edit that came before has none. */
  firstAt: Date;
  lastAt: Date;
  filters?: Record<string, StoredBytes[]>;
  pieces?: number;
  given?: number;
  lists?: Record<string, StoredBytes[]>;
  edited?: number[];
  full?: true;
};

/**
 * A membership, and the member's own pointers and preferences. What the log says (role, joined, left, banned) is a
 * projection up to `appliedSeq`; pointers are this collection's own and only move forward. `leftSeq` is null for
 * members. Somebody who was banned without ever being a member has a document too.
 */
export type MemberDocument = {
  _id: { c: StoredUuid; u: StoredUuid };
  c: StoredUuid;
  u: StoredUuid;
  role: 'owner' | 'admin' | 'moderator' | 'member';
  joinedSeq: number;
  joinedAt: Date;
  firstSeq: number;
  leftSeq: number | null;
  appliedSeq: number;
  /** `until` is null for good. */
  ban?: { reason: string; until: Date | null };
  readSeq?: number;
  deliveredSeq?: number;
  /** When they last moved. */
  readAt?: Date;
  deliveredAt?: Date;
  /** How the member wants to see the conversation. Absent: not archived, not pinned, not muted, told of all. */
  archived?: boolean;
  pinned?: boolean;
  mutedUntil?: Date | null;
  notify?: 'all' | 'mentions' | 'none';
  /** When pointers or preferences last changed: what other devices of the member have to be told since. */
  meAt?: Date;
};

/** One person's one emoji on one message, as of the entry `seq`. */
export type ReactionDocument = {
  _id: { c: StoredUuid; s: number; u: StoredUuid; e: string };
  c: StoredUuid;
  s: number;
  u: StoredUuid;
  e: string;
  on: boolean;
  seq: number;
  at: Date;
};

/** A forward: the message it came from (`c`, `s`) and the one it became (`tc`, `ts`). */
export type ForwardDocument = { _id: { c: StoredUuid; s: number; tc: StoredUuid; ts: number } };

/** A message that somebody starred (or no longer does: other devices have to be told), private to them. */
export type StarDocument = {
  _id: { u: StoredUuid; c: StoredUuid; s: number };
  u: StoredUuid;
  on: boolean;
  at: Date;
};

/** When a member's pointers moved lately: `s` is where one was from `at` on. */
export type TrailDocument = {
  _id: { c: StoredUuid; u: StoredUuid };
  read?: { s: number; at: Date }[];
  delivered?: { s: number; at: Date }[];
};

/** Somebody (`u`) reported a message. Kept also when the message is deleted. */
export type ReportDocument = {
  _id: { c: StoredUuid; s: number; u: StoredUuid };
  reason: string;
  note: string;
  at: Date;
  updatedAt: Date;
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
  reactions: Collection<ReactionDocument>;
  forwards: Collection<ForwardDocument>;
  stars: Collection<StarDocument>;
  trails: Collection<TrailDocument>;
  reports: Collection<ReportDocument>;
  people: PeopleCollections;
  searchChunks: Collection<SearchChunkDocument>;
  archivedEntries: Collection<ArchivedEntryDocument>;
  jobs: Collection<JobDocument>;
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
    reactions: db.collection('reactions'),
    forwards: db.collection('forwards'),
    stars: db.collection('stars'),
    trails: db.collection('trails'),
    reports: db.collection('reports'),
    people: peopleCollections(db),
    searchChunks: db.collection('search_chunks'),
    archivedEntries: db.collection('archived_entries'),
    jobs: db.collection('jobs'),
  };
}

/**
 * Creates what is missing. Safe with many replicas at once. Every unique index starts with the shard key, so it stays
 * global for a conversation in a sharded cluster.
 */
export async function ensureIndexes(collections: ChatCollections): Promise<void> {
  // One after the other: a process that starts has few connections yet, and waits for none.
  const steps = [
    () =>
      collections.entries.createIndexes([
        { key: { c: 1, senderId: 1, clientMsgId: 1 }, name: 'client_id', unique: true },
        // For republishing. Each boot writes at its own right edge, so this costs an insert no more than `at` alone would.
        { key: { by: 1, at: 1 }, name: 'boot' },
        { key: { c: 1, '_id.s': 1 }, name: 'permissions', partialFilterExpression: { permission: true } },
        { key: { uploads: 1 }, name: 'uploads', partialFilterExpression: { uploads: { $exists: true } } },
        {
          key: { c: 1, threadRoot: 1, '_id.s': 1 },
          name: 'thread',
          partialFilterExpression: { threadRoot: { $exists: true } },
        },
        { key: { c: 1, reply: 1, '_id.s': 1 }, name: 'reply', partialFilterExpression: { reply: { $exists: true } } },
        { key: { c: 1, '_id.s': 1 }, name: 'pinned', partialFilterExpression: { 'body.pinned': true } },
      ]),
    () =>
      collections.conversations.createIndexes([
        // Rooms by word and in their order, and all of them in it. Not by shard: whoever looks for a room asks them all.
        {
          key: { 'listing.keys': 1, 'listing.place': 1 },
          name: 'rooms_by_word',
          partialFilterExpression: { 'listing.place': { $exists: true } },
        },
        {
          key: { 'listing.place': 1 },
          name: 'rooms',
          partialFilterExpression: { 'listing.place': { $exists: true } },
        },
        { key: { avatar: 1 }, name: 'avatar', partialFilterExpression: { avatar: { $exists: true } } },
        // What retention looks at next: those it never saw by their creation, the others by what it found.
        { key: { lookFrom: 1, createdAt: 1 }, name: 'old' },
        {
          key: { 'archiving.since': 1 },
          name: 'archiving',
          partialFilterExpression: { 'archiving.since': { $exists: true } },
        },
      ]),
    () =>
      collections.members.createIndexes([
        { key: { u: 1, leftSeq: 1 }, name: 'user' },
        { key: { c: 1, leftSeq: 1, u: 1 }, name: 'conversation' },
        { key: { c: 1, u: 1 }, name: 'banned', partialFilterExpression: { ban: { $exists: true } } },
      ]),
    () =>
      collections.reactions.createIndexes([
        { key: { u: 1, c: 1, s: 1 }, name: 'user' },
        // Lists who reacted and counts them without reading a document.
        { key: { c: 1, s: 1, on: 1, e: 1, seq: 1 }, name: 'message' },
      ]),
    () => collections.forwards.createIndexes([{ key: { '_id.c': 1, '_id.s': 1 }, name: 'source' }]),
    () =>
      collections.stars.createIndexes([
        { key: { u: 1, at: -1 }, name: 'user' },
        { key: { u: 1, on: 1, at: -1, _id: -1 }, name: 'listed' },
        { key: { '_id.c': 1, '_id.s': 1 }, name: 'message' },
      ]),
    () => collections.boots.createIndexes([{ key: { leaseUntil: 1 }, name: 'lease' }]),
    () => collections.archivedEntries.createIndexes([{ key: { expireAt: 1 }, name: 'expiry', expireAfterSeconds: 0 }]),
    // Searches go through the chunks of many conversations by time.
    () => collections.searchChunks.createIndexes([{ key: { c: 1, lastAt: -1 }, name: 'time' }]),
  ];
  for (const step of steps) await step();
}
