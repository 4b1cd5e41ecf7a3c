import { type ReadPlace, relaxed } from '@bluewave/mongo/relaxed-reads';
import type { Upload } from '../../uploads/upload.ts';
import type { UploadStore } from '../../uploads/upload-store.ts';
import { readBy, run, writeBy } from './operation.ts';
import { fromDocument, toDocument, toUuid } from './upload-document.ts';
import type { MediaModels, UploadDocument } from './upload-model.ts';

/**
 * The uploads in MongoDB: majority reads, majority and journaled writes, every operation with a deadline.
 * @param relaxedReads where figures for operators are read from
 */
export function createMongoUploadStore({ uploads }: MediaModels, relaxedReads: ReadPlace = 'primary'): UploadStore {
  const figures = relaxed(relaxedReads);
  // The model can only insert in bulk or with a read of its own.
  const native = uploads.db.collection<UploadDocument>(uploads.collection.collectionName);
  return {
    async insert(upload, by) {
      await run(by, native.insertOne(toDocument(upload), writeBy(by)));
    },

    async find(id, by) {
      const found = await run(by, uploads.findOne({ _id: toUuid(id) }, undefined, readBy(by)).lean());
      return found ? fromDocument(found) : undefined;
    },

    async findMany(ids, by) {
      if (ids.length === 0) return [];
      const wanted = ids.map((id) => toUuid(id));
      const found = await run(by, uploads.find({ _id: { $in: wanted } }, undefined, readBy(by)).lean());
      return found.map(fromDocument);
    },

    async save(upload, by) {
      const next: Upload = { ...upload, version: upload.version + 1 };
      const { _id, ...replacement } = toDocument(next);
      const result = await run(by, uploads.replaceOne({ _id, version: upload.version }, replacement, writeBy(by)));
      return result.matchedCount === 1 ? next : undefined;
    },

    async findDue(now, limit, by) {
      const due = { dueAt: { $lte: new Date(now) } };
      const found = await run(by, uploads.find(due, undefined, readBy(by)).sort({ dueAt: 1 }).limit(limit).lean());
      return found.map(fromDocument);
    },

    async remove(upload, by) {
      await run(by, uploads.deleteOne({ _id: toUuid(upload.id), version: upload.version }, writeBy(by)));
    },

    async oldestProcessing(by) {
      const options = { ...readBy(by), ...figures, projection: { confirmedAt: 1 }, sort: { confirmedAt: 1 } } as const;
      const found = await run(
        by,
        native.findOne<Pick<UploadDocument, 'confirmedAt'>>({ status: 'processing' }, options),
      );
      return found?.confirmedAt.getTime();
    },
  };
}
