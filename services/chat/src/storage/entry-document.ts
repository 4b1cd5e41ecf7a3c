import { readUuid, type StoredUuid, storeUuid } from '@bluewave/mongo/uuid';
import mongoose from 'mongoose';
import { changesPermissions, type EntryBody, type LogEntry } from '../log/entry.ts';

const { Binary } = mongoose.mongo.BSON;

/** An entry's address is its identity: one index fewer, and every id names its shard. */
export type EntryAddress = { c: StoredUuid; s: number };

/**
 * An entry in the collection `entries`. Of a `message:new` the body is the message's current state, with `edits`, the
 * seqs of the entries that edited it. `permission` is only there when true, for a partial index; `uploads` likewise.
 */
export type EntryDocument = {
  _id: EntryAddress;
  c: StoredUuid;
  senderId: StoredUuid;
  clientMsgId: StoredUuid;
  body: EntryBody & { edits?: number[] };
  bodyHash: InstanceType<typeof Binary>;
  at: Date;
  by: StoredUuid;
  permission?: true;
  uploads?: StoredUuid[];
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
  if (entry.body.type === 'message:new' && entry.body.attachments.length > 0) {
    document.uploads = entry.body.attachments.map((attachment) => storeUuid(attachment.uploadId));
  }
  return document;
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
