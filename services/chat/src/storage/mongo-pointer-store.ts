import { durable, operationMs } from '@bluewave/mongo/connect';
import { storeUuid } from '@bluewave/mongo/uuid';
import type { Clock } from '@bluewave/runtime/clock';
import type { PointerMove, PointerStore } from '../receipts/pointer-writer.ts';
import type { ChatCollections } from './collections.ts';

export function createMongoPointerStore(collections: ChatCollections, clock: Clock): PointerStore {
  return {
    async advance(moves) {
      const meAt = new Date(clock());
      await collections.members.bulkWrite(
        moves.map(({ conversationId, userId, readSeq, deliveredSeq, ...times }) => ({
          updateOne: {
            filter: { _id: { c: storeUuid(conversationId), u: storeUuid(userId) }, leftSeq: null },
            update: { $max: { readSeq, deliveredSeq, meAt, ...timesOf(times) } },
          },
        })),
        { ...durable, ordered: false, maxTimeMS: operationMs },
      );
    },
  };
}

/** Only of what moved. */
function timesOf({ readAt, deliveredAt }: Pick<PointerMove, 'readAt' | 'deliveredAt'>) {
  return {
    ...(readAt === undefined ? {} : { readAt: new Date(readAt) }),
    ...(deliveredAt === undefined ? {} : { deliveredAt: new Date(deliveredAt) }),
  };
}
