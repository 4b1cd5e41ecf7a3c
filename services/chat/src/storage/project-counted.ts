import { durable, operationMs } from '@bluewave/mongo/connect';
import { storeUuid } from '@bluewave/mongo/uuid';
import type { ForwardedFrom, LogEntry } from '../log/entry.ts';
import type { ChatCollections } from './collections.ts';

const write = { ...durable, maxTimeMS: operationMs } as const;

/** Records whether somebody shows an emoji on a message, unless a later entry has said so already. */
export async function recordReaction(
  { reactions }: ChatCollections,
  { conversationId, senderId, seq, at, body }: LogEntry & { body: { type: 'message:reaction' } },
): Promise<void> {
  const [c, u, s, e] = [storeUuid(conversationId), storeUuid(senderId), body.target, body.emoji];
  const now = { c, s, u, e, on: body.on, seq, at: new Date(at) };
  const isNewer = { $lt: [{ $ifNull: ['$seq', 0] }, seq] };
  await reactions.updateOne(
    { _id: { c, s, u, e } },
    [{ $replaceWith: { $cond: [isNewer, { $mergeObjects: ['$$ROOT', { $literal: now }] }, '$$ROOT'] } }],
    { ...write, upsert: true },
  );
}

/** Records that an entry forwards a message. */
export async function recordForward(
  { forwards }: ChatCollections,
  entry: LogEntry,
  from: ForwardedFrom,
): Promise<void> {
  const target = { tc: storeUuid(entry.conversationId), ts: entry.seq };
  const _id = { c: storeUuid(from.conversationId), s: from.seq, ...target };
  await forwards.updateOne({ _id }, { $setOnInsert: { _id } }, { ...write, upsert: true });
}
