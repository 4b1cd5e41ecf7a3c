import { durable, operationMs } from '@bluewave/mongo/connect';
import { storeUuid } from '@bluewave/mongo/uuid';
import type { PreferenceStore } from '../conversations/preferences.ts';
import type { ChatCollections } from './collections.ts';

export function createMongoPreferenceStore({ members }: ChatCollections): PreferenceStore {
  return {
    async save(conversationId, userId, { mutedUntil, ...change }, at) {
      const muted = mutedUntil === undefined ? {} : { mutedUntil: mutedUntil === null ? null : new Date(mutedUntil) };
      const { matchedCount } = await members.updateOne(
        { _id: { c: storeUuid(conversationId), u: storeUuid(userId) }, leftSeq: null },
        { $set: { ...change, ...muted }, $max: { meAt: new Date(at) } },
        { ...durable, maxTimeMS: operationMs },
      );
      return matchedCount > 0;
    },
  };
}
