import { durable, operationMs } from '@bluewave/mongo/connect';
import { isDuplicateKey } from '@bluewave/mongo/mongo-failure';
import type { JobLeases } from '../retention/retention-store.ts';
import type { ChatCollections } from './collections.ts';

const write = { ...durable, maxTimeMS: operationMs } as const;

export function createMongoJobLeases({ jobs }: Pick<ChatCollections, 'jobs'>): JobLeases {
  return {
    async hold(job, holder, now, forMs) {
      try {
        await jobs.updateOne(
          { _id: job, $or: [{ holder }, { until: { $lt: new Date(now) } }] },
          { $set: { holder, until: new Date(now + forMs) } },
          { ...write, upsert: true },
        );
        return true;
      } catch (error) {
        // It is there, but not for this holder to take.
        if (isDuplicateKey(error)) return false;
        throw error;
      }
    },
    async release(job, holder) {
      await jobs.deleteOne({ _id: job, holder }, write);
    },
  };
}
