import { committed, operationMs } from '@bluewave/mongo/connect';
import { readUuid, storeUuid } from '@bluewave/mongo/uuid';
import type { MessageReads } from '../reading/message-reads.ts';
import type { ChatCollections } from './collections.ts';
import { fromDocument } from './entry-document.ts';

const read = { ...committed, maxTimeMS: operationMs } as const;

export function createMongoMessageReads({ entries, reactions }: ChatCollections): MessageReads {
  return {
    async ownReactions({ conversationId, seq }, userId) {
      const found = await reactions
        .find({ u: storeUuid(userId), c: storeUuid(conversationId), s: seq }, read)
        .toArray();
      return found.map(({ e, on, seq: since }) => ({ emoji: e, on, seq: since }));
    },
    async reactions({ conversationId, seq }, { emoji, after }, limit) {
      const shown = { c: storeUuid(conversationId), s: seq, on: true };
      const which =
        emoji === undefined
          ? after && { $or: [{ e: after.emoji, seq: { $gt: after.seq } }, { e: { $gt: after.emoji } }] }
          : { e: emoji, ...(after ? { seq: { $gt: after.seq } } : {}) };
      const found = await reactions
        .find({ ...shown, ...which }, { ...read, limit })
        .sort({ e: 1, seq: 1 })
        .toArray();
      return found.map(({ u, e, at, seq: since }) => ({
        userId: readUuid(u),
        emoji: e,
        at: at.getTime(),
        seq: since,
      }));
    },
    async pins(conversationId, { from, before }, limit) {
      const place = { '_id.s': { $gte: from, $lt: before } };
      const found = await entries
        .find({ c: storeUuid(conversationId), 'body.pinned': true, ...place }, { ...read, limit })
        .sort({ '_id.s': -1 })
        .toArray();
      return found.map(fromDocument);
    },
    async thread({ conversationId, seq }, after, limit) {
      const found = await entries
        .find({ c: storeUuid(conversationId), threadRoot: seq, '_id.s': { $gt: after } }, { ...read, limit })
        .sort({ '_id.s': 1 })
        .toArray();
      return found.map(fromDocument);
    },
  };
}
