import { committed, durable, operationMs } from '@bluewave/mongo/connect';
import { isDuplicateKey } from '@bluewave/mongo/mongo-failure';
import { readUuid, storeUuid } from '@bluewave/mongo/uuid';
import type { Star, StarStore } from '../stars/star-store.ts';
import type { ChatCollections, StarDocument } from './collections.ts';

const read = { ...committed, maxTimeMS: operationMs } as const;
const write = { ...durable, maxTimeMS: operationMs } as const;

export function createMongoStarStore({ stars }: Pick<ChatCollections, 'stars'>): StarStore {
  return {
    async put(userId, { conversationId, seq }, on, at) {
      const u = storeUuid(userId);
      const _id = { u, c: storeUuid(conversationId), s: seq };
      try {
        const change = { $set: { u, on, at: new Date(at) } };
        const { matchedCount, upsertedCount } = await stars.updateOne(
          { _id, on: !on },
          change,
          // Only a star makes a document.
          { ...write, upsert: on },
        );
        return matchedCount + upsertedCount > 0;
      } catch (error) {
        // It is starred already: the document is there, but not as one that this changes.
        if (isDuplicateKey(error)) return false;
        throw error;
      }
    },
    async starred(userId, after, limit) {
      const mine = { u: storeUuid(userId), on: true };
      const found = await stars
        .find(after ? { $or: placesAfter(mine, after) } : mine, { ...read, limit })
        .sort({ at: -1, _id: -1 })
        .toArray();
      return found.map(toStar);
    },
    async changedSince(userId, since, limit) {
      const filter = { u: storeUuid(userId), at: { $gte: new Date(since) } };
      return (await stars.find(filter, { ...read, limit }).toArray()).map(toStar);
    },
  };
}

type Mine = { u: StarDocument['u']; on: boolean };

function placesAfter(mine: Mine, { at, conversationId, seq }: Star) {
  const time = new Date(at);
  const _id = { u: mine.u, c: storeUuid(conversationId), s: seq };
  return [
    { ...mine, at: { $lt: time } },
    { ...mine, at: time, _id: { $lt: _id } },
  ];
}

function toStar({ _id, on, at }: StarDocument): Star {
  return { conversationId: readUuid(_id.c), seq: _id.s, on, at: at.getTime() };
}
