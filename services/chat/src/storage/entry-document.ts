import { readUuid, type StoredUuid, storeUuid } from '@bluewave/mongo/uuid';
import mongoose from 'mongoose';
import { changesPermissions, type EntryBody, type LogEntry, type MessageBody } from '../log/entry.ts';

const { Binary } = mongoose.mongo.BSON;

/** An entry's address is its identity: one index fewer, and every id names its shard. */
export type EntryAddress = { c: StoredUuid; s: number };

/**
 * An entry in the collection `entries`. Of a `message:new` the body is the message's current state. The fields after
 * `by` are only there when they say something: partial indexes and projections need them beside the body.
 */
export type EntryDocument = {
  _id: EntryAddress;
  c: StoredUuid;
  senderId: StoredUuid;
  clientMsgId: StoredUuid;
  body: EntryBody;
  bodyHash: InstanceType<typeof Binary>;
  at: Date;
  by: StoredUuid;
  permission?: true;
  uploads?: StoredUuid[];
  /** Whom a message calls. */
  mentions?: StoredUuid[];
  /** Of a reply in a thread. */
  threadRoot?: number;
  /** The same, until the reply is deleted: what threads are counted by. */
  reply?: number;
  /** Raised whenever `body.counts` is written. */
  countsRev?: number;
  /** The last entry that pinned or unpinned the message. */
  pinSeq?: number;
};

export function toDocument(entry: LogEntry): EntryDocument {
  const conversation = storeUuid(entry.conversationId);
  const document: EntryDocument = {
    _id: { c: conversation, s: entry.seq },
    c: conversation,
    senderId: storeUuid(entry.senderId),
    clientMsgId: storeUuid(entry.clientMsgId),
    body: entry.body,
    bodyHash: new Binary(entry.bodyHash),
    at: new Date(entry.at),
    by: storeUuid(entry.by),
  };
  if (changesPermissions(entry.body.type)) document.permission = true;
  if (entry.body.type === 'message:new') indexMessage(document, entry.body);
  return document;
}

function indexMessage(document: EntryDocument, { attachments, mentions, threadRoot }: MessageBody): void {
  if (attachments.length > 0) document.uploads = attachments.map(({ uploadId }) => storeUuid(uploadId));
  if (mentions && mentions.length > 0) document.mentions = mentions.map(storeUuid);
  if (threadRoot !== undefined) Object.assign(document, { threadRoot, reply: threadRoot });
}

export function fromDocument(document: EntryDocument): LogEntry {
  return {
    conversationId: readUuid(document.c),
    seq: document._id.s,
    senderId: readUuid(document.senderId),
    clientMsgId: readUuid(document.clientMsgId),
    body: document.body,
    bodyHash: document.bodyHash.buffer.subarray(0, document.bodyHash.position),
    at: document.at.getTime(),
    by: readUuid(document.by),
  };
}

/** The `_id` range of a conversation's entries with after < seq <= upTo. */
export function addressRange(conversationId: string, after: number, upTo = Number.MAX_SAFE_INTEGER) {
  const c = storeUuid(conversationId);
  return { _id: { $gt: { c, s: after }, $lte: { c, s: upTo } } };
}
