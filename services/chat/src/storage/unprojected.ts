import { committed, operationMs } from '@bluewave/mongo/connect';
import { readUuid, storeUuid } from '@bluewave/mongo/uuid';
import type { ReadStore } from '../reading/read-store.ts';
import type { ChatCollections, ConversationDocument } from './collections.ts';

const read = { ...committed, maxTimeMS: operationMs } as const;

/** The first entry that changes permissions after what a conversation reflects; one index seek for each. */
const lookUpFirst = {
  $lookup: {
    from: 'entries',
    let: { c: '$_id', applied: { $ifNull: ['$appliedSeq', 0] } },
    pipeline: [
      { $match: { permission: true, $expr: { $and: [{ $eq: ['$c', '$$c'] }, { $gt: ['$_id.s', '$$applied'] }] } } },
      { $sort: { '_id.s': 1 as const } },
      { $limit: 1 },
      { $project: { _id: 0, seq: '$_id.s' } },
    ],
    as: 'first',
  },
};

/** How far projections are behind the log. */
export function unprojectedReads({
  boots,
  conversations,
}: ChatCollections): Pick<ReadStore, 'doneUpTo' | 'firstUnprojected'> {
  return {
    async doneUpTo() {
      // All of them, by an index.
      const open = await boots
        .find({ leaseUntil: { $gt: new Date(0) } }, { ...read, projection: { watermark: 1 } })
        .toArray();
      return Math.min(...open.map(({ watermark }) => watermark.getTime()));
    },
    async firstUnprojected(conversationIds) {
      const match = { $match: { _id: { $in: conversationIds.map(storeUuid) } } };
      const rows = await conversations
        .aggregate<Pick<ConversationDocument, '_id'> & { first: { seq: number }[] }>(
          [match, { $project: { appliedSeq: 1 } }, lookUpFirst, { $project: { first: 1 } }],
          read,
        )
        .toArray();
      return new Map(rows.flatMap(({ _id, first: [one] }) => (one ? [[readUuid(_id), one.seq] as const] : [])));
    },
  };
}
