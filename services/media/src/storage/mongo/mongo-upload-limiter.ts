import { isDuplicateKey } from '@bluewave/mongo/mongo-failure';
import type { UploadLimiter } from '../../uploads/upload-store.ts';
import { run, quickWriteBy } from './operation.ts';
import { toUuid } from './upload-document.ts';
import type { MediaModels } from './upload-model.ts';

const hourMs = 3_600_000;

/**
 * An exact sliding window in one document a user: one atomic update drops what is older than an hour and adds now
 * unless the window is full. Shared by all replicas.
 */
export function createMongoUploadLimiter({ limits }: MediaModels): UploadLimiter {
  const take: UploadLimiter['take'] = async (userId, limit, now, by) => {
    const at = new Date(now);
    const young = {
      $filter: { input: { $ifNull: ['$taken', []] }, cond: { $gt: ['$$this', new Date(now - hourMs)] } },
    };
    const free = { $lt: [{ $size: '$taken' }, limit] };
    const before = await run(
      by,
      limits.findOneAndUpdate(
        { _id: toUuid(userId) },
        [
          { $set: { taken: young } },
          { $set: { taken: { $cond: [free, { $concatArrays: ['$taken', [at]] }, '$taken'] }, last: at } },
        ],
        { upsert: true, returnDocument: 'before', updatePipeline: true, lean: true, ...quickWriteBy(by) },
      ),
    );
    const window = (before?.taken ?? []).map((date) => date.getTime()).filter((time) => time > now - hourMs);
    if (window.length < limit) return 0;
    return Math.max(1, (window[window.length - limit] ?? now) + hourMs - now);
  };
  return {
    async take(userId, limit, now, by) {
      try {
        return await take(userId, limit, now, by);
      } catch (error) {
        // Two first uploads at once both try to make the document; now it is there.
        if (isDuplicateKey(error)) return take(userId, limit, now, by);
        throw error;
      }
    },
  };
}
