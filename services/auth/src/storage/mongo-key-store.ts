import { operationMs } from '@bluewave/mongo/connect';
import { remainingMs } from '@bluewave/runtime/deadline';
import type { KeyStore } from '../tokens/key-store.ts';
import type { Models } from './models.ts';

/** One document decides which key is kept, however many processes start at once. */
export function createMongoKeyStore({ signingKeys }: Models): KeyStore {
  return {
    keepFirst: async (pem, deadline) => {
      const kept = await signingKeys
        .findOneAndUpdate(
          { _id: 'development' },
          { $setOnInsert: { pem, createdAt: new Date() } },
          { upsert: true, returnDocument: 'after' },
        )
        .lean()
        .maxTimeMS(remainingMs(deadline, operationMs));
      return kept.pem;
    },
  };
}
