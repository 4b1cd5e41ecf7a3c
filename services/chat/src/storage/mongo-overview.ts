import { committed, operationMs } from '@bluewave/mongo/connect';
import { readUuid, type StoredUuid, storeUuid } from '@bluewave/mongo/uuid';
import type { Overview, ReadStore } from '../reading/read-store.ts';
import type { ChatCollections } from './collections.ts';

const read = { ...committed, maxTimeMS: operationMs } as const;

/** One column for each field: a thousand rows are read back in a fraction of the time that documents take. */
type Columns = {
  c: StoredUuid[];
  firstSeq: number[];
  readSeq: number[];
  seq: number[];
  at: number[];
  goesOn: boolean[];
};

/**
 * Joins on plain fields only, so that the server runs all of it in its faster engine: a pipeline within a $lookup costs
 * seven times as much a row.
 */
const overviewPipeline = [
  { $lookup: { from: 'conversations', localField: 'c', foreignField: '_id', as: 'shared' } },
  { $lookup: { from: 'entries', localField: 'shared.indexed.next', foreignField: '_id', as: 'next' } },
  {
    $project: {
      c: 1,
      firstSeq: 1,
      readSeq: { $max: ['$readSeq', '$joinedSeq'] },
      seq: { $ifNull: [{ $first: '$shared.indexed.seq' }, 0] },
      at: { $toLong: { $ifNull: [{ $first: '$shared.indexed.at' }, 0] } },
      next: { $size: '$next' },
    },
  },
  {
    $group: {
      _id: null,
      c: { $push: '$c' },
      firstSeq: { $push: '$firstSeq' },
      readSeq: { $push: '$readSeq' },
      seq: { $push: '$seq' },
      at: { $push: '$at' },
      goesOn: { $push: { $or: [{ $eq: ['$seq', 0] }, { $gt: ['$next', 0] }] } },
    },
  },
];

export function overviewReads({ members }: ChatCollections): Pick<ReadStore, 'overview'> {
  return {
    async overview(userId, conversationId) {
      const u = storeUuid(userId);
      const who = conversationId === undefined ? { u } : { _id: { c: storeUuid(conversationId), u } };
      const [columns] = await members
        .aggregate<Columns>([{ $match: { ...who, leftSeq: null } }, ...overviewPipeline], read)
        .toArray();
      if (!columns) return [];
      return columns.c.map((c, row): Overview => ({
        conversationId: readUuid(c),
        firstSeq: columns.firstSeq[row] ?? 1,
        coveredTo: columns.seq[row] ?? 0,
        coveredAt: columns.at[row] ?? 0,
        readSeq: columns.readSeq[row] ?? 0,
        goesOn: columns.goesOn[row] ?? true,
      }));
    },
  };
}
