import { durable, operationMs } from '@bluewave/mongo/connect';
import { readUuid, storeUuid } from '@bluewave/mongo/uuid';
import type { BootStore } from '../log/boot-lease.ts';
import type { AbandonedBoot, AbandonedBootStore } from '../log/recovery.ts';
import type { BootDocument, ChatCollections } from './collections.ts';

const write = { ...durable, maxTimeMS: operationMs } as const;

export function createMongoBootStore(collections: ChatCollections): BootStore & AbandonedBootStore {
  const { boots } = collections;
  return {
    async write({ boot, watermark, leaseUntil }) {
      await boots.updateOne(
        { _id: storeUuid(boot) },
        { $set: { watermark: new Date(watermark), leaseUntil: new Date(leaseUntil) } },
        { ...write, upsert: true },
      );
    },
    async remove(boot) {
      await boots.deleteOne({ _id: storeUuid(boot) }, write);
    },
    async claim(now, claimMs) {
      const at = new Date(now);
      const claimed = await boots.findOneAndUpdate(
        {
          leaseUntil: { $lt: at },
          $and: [
            { $or: [{ claimedUntil: { $exists: false } }, { claimedUntil: { $lt: at } }] },
            { $or: [{ nextPassAt: { $exists: false } }, { nextPassAt: { $lte: at } }] },
          ],
        },
        { $set: { claimedUntil: new Date(now + claimMs) } },
        { ...write, sort: { leaseUntil: 1 }, returnDocument: 'after' },
      );
      return claimed ? fromBoot(claimed) : null;
    },
    async finishPass(boot, nextPassAt) {
      await boots.updateOne(
        { _id: storeUuid(boot) },
        { $inc: { passes: 1 }, $set: { nextPassAt: new Date(nextPassAt) }, $unset: { claimedUntil: 1 } },
        write,
      );
    },
  };
}

function fromBoot(document: BootDocument): AbandonedBoot {
  return { boot: readUuid(document._id), watermark: document.watermark.getTime(), passes: document.passes ?? 0 };
}
