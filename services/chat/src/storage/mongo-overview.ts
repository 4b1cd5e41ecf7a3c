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
  /** Of the conversations in `ids`. */
  ids: StoredUuid[];
  seq: number[];
  at: number[];
  /** Of the conversations whose log goes on. */
  next: StoredUuid[];
};

const covered = {
  seq: { $ifNull: ['$indexed.seq', 0] },
  at: { $toLong: { $ifNull: ['$indexed.at', 0] } },
  next: '$indexed.next',
};

/**
 * One look-up for all memberships instead of one for each: the server then asks for all the ids at once, which costs
 * half as much.
 */
const overviewPipeline = [
  {
    $group: {
      _id: null,
      c: { $push: '$c' },
      firstSeq: { $push: '$firstSeq' },
      readSeq: { $push: { $max: ['$readSeq', '$joinedSeq'] } },
    },
  },
  {
    $lookup: {
      from: 'conversations',
      localField: 'c',
      foreignField: '_id',
      pipeline: [{ $project: covered }],
      as: 'shared',
    },
  },
  {
    $lookup: {
      from: 'entries',
      localField: 'shared.next',
      foreignField: '_id',
      pipeline: [{ $project: { _id: 1 } }],
      as: 'next',
    },
  },
  {
    $project: {
      _id: 0,
      c: 1,
      firstSeq: 1,
      readSeq: 1,
      ids: '$shared._id',
      seq: '$shared.seq',
      at: '$shared.at',
      next: '$next._id.c',
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
      const { firstSeq, readSeq, seq, at } = columns;
      const rowOf = new Map(columns.ids.map((id, row) => [readUuid(id), row]));
      const goOn = new Set(columns.next.map(readUuid));
      return columns.c.map((c, index): Overview => {
        const conversationId = readUuid(c);
        const row = rowOf.get(conversationId) ?? -1;
        const coveredTo = seq[row] ?? 0;
        return {
          ...{ conversationId, coveredTo, coveredAt: at[row] ?? 0 },
          firstSeq: firstSeq[index] ?? 1,
          readSeq: readSeq[index] ?? 0,
          goesOn: coveredTo === 0 || goOn.has(conversationId),
        };
      });
    },
  };
}
