import { durable, operationMs } from '@bluewave/mongo/connect';
import { storeUuid } from '@bluewave/mongo/uuid';
import type { ReportStore } from '../reports/report-store.ts';
import type { ChatCollections } from './collections.ts';

const write = { ...durable, maxTimeMS: operationMs } as const;

export function createMongoReportStore({ reports }: Pick<ChatCollections, 'reports'>): ReportStore {
  return {
    async put({ conversationId, seq, reporterId, reason, note, at }) {
      const _id = { c: storeUuid(conversationId), s: seq, u: storeUuid(reporterId) };
      const time = new Date(at);
      const { upsertedCount } = await reports.updateOne(
        { _id },
        { $set: { reason, note, updatedAt: time }, $setOnInsert: { at: time } },
        { ...write, upsert: true },
      );
      return upsertedCount > 0;
    },
  };
}
