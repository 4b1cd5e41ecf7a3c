import { committed, durable, operationMs } from '@bluewave/mongo/connect';
import { storeUuid, type StoredUuid } from '@bluewave/mongo/uuid';
import type { MessageCounts } from '../log/entry.ts';
import { createCoalescer } from '../log/coalesce.ts';
import type { ChatCollections } from './collections.ts';

const read = { ...committed, maxTimeMS: operationMs } as const;
const write = { ...durable, maxTimeMS: operationMs } as const;

/**
 * Keeps what reactions, replies and forwards add up to for a message. It is recomputed from what was recorded, and
 * written only when nobody else wrote it since the recomputation began: whoever recorded something recounts after that,
 * so the last to write has seen everything.
 */
export function createMessageCounts(collections: ChatCollections): {
  recount(conversationId: string, seq: number): Promise<void>;
} {
  const coalesce = createCoalescer();
  return {
    recount: (conversationId, seq) =>
      coalesce(`${conversationId}:${seq}`, () => recount(collections, { c: storeUuid(conversationId), s: seq })),
  };
}

async function recount(collections: ChatCollections, address: { c: StoredUuid; s: number }): Promise<void> {
  const { entries } = collections;
  for (;;) {
    const message = await entries.findOne({ _id: address }, { ...read, projection: { countsRev: 1, body: 1 } });
    if (message?.body.type !== 'message:new') return;
    const isGone = message.body.deletedAt !== null;
    const counts = await count(collections, address, isGone);
    const rev = message.countsRev;
    const { matchedCount } = await entries.updateOne(
      { _id: address, countsRev: rev === undefined ? { $exists: false } : rev },
      { $set: { 'body.counts': counts, countsRev: (rev ?? 0) + 1 } },
      write,
    );
    if (matchedCount > 0) return;
  }
}

async function count(
  { entries, reactions, forwards }: ChatCollections,
  { c, s }: { c: StoredUuid; s: number },
  isGone: boolean,
): Promise<MessageCounts> {
  const [shown, [thread], forwarded] = await Promise.all([
    isGone
      ? []
      : reactions
          .aggregate<{ _id: string; count: number; first: number }>(
            [{ $match: { c, s, on: true } }, { $group: { _id: '$e', count: { $sum: 1 }, first: { $min: '$seq' } } }],
            read,
          )
          .toArray(),
    entries
      .aggregate<{ replies: number; last: number }>(
        [{ $match: { c, reply: s } }, { $group: { _id: null, replies: { $sum: 1 }, last: { $max: '$_id.s' } } }],
        read,
      )
      .toArray(),
    forwards.countDocuments({ '_id.c': c, '_id.s': s }, read),
  ]);
  return {
    reactions: [...shown]
      .sort((a, b) => a.first - b.first)
      .map(({ _id, count: times }) => ({ emoji: _id, count: times })),
    replies: thread?.replies ?? 0,
    lastReplySeq: thread?.last ?? 0,
    forwards: forwarded,
  };
}
