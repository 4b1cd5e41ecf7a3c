import { operationMs } from '@bluewave/mongo/connect';
import { storeUuid } from '@bluewave/mongo/uuid';
import type { Step, TrailStore } from '../receipts/trail-writer.ts';
import type { ChatCollections } from './collections.ts';

/** No guarantee rests on a trail. */
const write = { writeConcern: { w: 1 }, ordered: false, maxTimeMS: operationMs } as const;
/** Steps kept of each pointer. */
const kept = 100;

const stored = (steps: readonly Step[]) => steps.map(({ s, at }) => ({ s, at: new Date(at) }));

export function createMongoTrailStore({ trails }: Pick<ChatCollections, 'trails'>): TrailStore {
  return {
    async append(added) {
      await trails.bulkWrite(
        added.map(({ conversationId, userId, read, delivered }) => ({
          updateOne: {
            filter: { _id: { c: storeUuid(conversationId), u: storeUuid(userId) } },
            update: {
              $push: {
                read: { $each: stored(read), $slice: -kept },
                delivered: { $each: stored(delivered), $slice: -kept },
              },
            },
            upsert: true,
          },
        })),
        write,
      );
    },
  };
}
