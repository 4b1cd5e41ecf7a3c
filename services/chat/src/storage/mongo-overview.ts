import { committed, operationMs } from '@bluewave/mongo/connect';
import { readUuid, type StoredUuid, storeUuid } from '@bluewave/mongo/uuid';
import { LRUCache } from 'lru-cache';
import type { Overview, ReadStore } from '../reading/read-store.ts';
import type { ChatCollections } from './collections.ts';
import type { EntryAddress } from './entry-document.ts';

const read = { ...committed, maxTimeMS: operationMs } as const;

/** Conversations of users whose last overview is remembered, some 250 bytes each. */
const remembered = 200_000;
/** How long: the entry after the last one of then is not old enough to have left the log again. */
const rememberedMs = 3_600_000;

/** One column for each field: a thousand rows are read back in a fraction of the time that documents take. */
type Memberships = { c: StoredUuid[]; firstSeq: number[]; readSeq: number[] };
type Covered = { ids: StoredUuid[]; seq: number[]; at: number[] };
/** `next`: of the conversations whose log goes on. */
type Columns = Memberships & Covered & { next: StoredUuid[] };

/** Where a log ended, up to which it is indexed, and the address after it: as long as nothing is there, it ends there. */
type Known = { conversationId: string; coveredTo: number; coveredAt: number; next: EntryAddress };

const membershipColumns = {
  $group: {
    _id: null,
    c: { $push: '$c' },
    firstSeq: { $push: '$firstSeq' },
    readSeq: { $push: { $max: ['$readSeq', '$joinedSeq'] } },
  },
};

const covered = {
  seq: { $ifNull: ['$indexed.seq', 0] },
  at: { $toLong: { $ifNull: ['$indexed.at', 0] } },
  next: '$indexed.next',
};

/**
 * Up to where logs are indexed and which of them go on. One look-up for all conversations instead of one for each: the
 * server then asks for all the ids at once, which costs half as much.
 */
const lookUp = (ids: string) => [
  {
    $lookup: {
      from: 'conversations',
      localField: ids,
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

const overviewPipeline = [membershipColumns, ...lookUp('c')];

/** The same of only those conversations that are named or have an entry at one of these addresses. */
const changedPipeline = (next: EntryAddress[], named: StoredUuid[]) => [
  membershipColumns,
  {
    $lookup: { from: 'entries', pipeline: [{ $match: { _id: { $in: next } } }, { $project: { _id: 1 } }], as: 'moved' },
  },
  { $set: { changed: { $setUnion: ['$moved._id.c', named] } } },
  ...lookUp('changed'),
];

/** By the bytes of ids: those whose log ended where it is indexed to, and those that have to be looked up again. */
type Seen = { ended: Map<string, Known>; open: string[] };
type Look = { rows: Overview[]; seen: Seen };

const nothing: Look = { rows: [], seen: { ended: new Map(), open: [] } };

/** Each user's conversations as they were seen last, so that only what changed since is looked up. */
export function overviewReads({ members }: ChatCollections): Pick<ReadStore, 'overview'> {
  const lastSeen = new LRUCache<string, Seen>({
    maxSize: remembered,
    sizeCalculation: ({ ended, open }) => 1 + ended.size + open.length,
    ttl: rememberedMs,
  });

  async function readAll(match: object): Promise<Look> {
    const [columns] = await members.aggregate<Columns>([{ $match: match }, ...overviewPipeline], read).toArray();
    return columns ? lookOf(columns, new Map()) : nothing;
  }

  async function readChanged(u: StoredUuid, { ended, open }: Seen): Promise<Look> {
    const next = Array.from(ended.values(), (known) => known.next);
    const pipeline = changedPipeline(next, open.map(storeUuid));
    const [columns] = await members.aggregate<Columns>([{ $match: { u, leftSeq: null } }, ...pipeline], read).toArray();
    if (!columns) return nothing;
    const look = lookOf(columns, ended);
    const lookedUp = new Set([...ended.keys(), ...columns.ids.map(bytesOf)]);
    const joined = columns.c.filter((c) => !lookedUp.has(bytesOf(c)));
    if (joined.length === 0) return look;
    const others = await readAll({ _id: { $in: joined.map((c) => ({ c, u })) }, leftSeq: null });
    const isJoined = new Set(joined.map(readUuid));
    return {
      rows: [...look.rows.filter(({ conversationId }) => !isJoined.has(conversationId)), ...others.rows],
      seen: {
        ended: new Map([...look.seen.ended, ...others.seen.ended]),
        open: [...new Set([...look.seen.open, ...others.seen.open])],
      },
    };
  }

  return {
    async overview(userId, conversationId) {
      const u = storeUuid(userId);
      if (conversationId !== undefined) {
        return (await readAll({ _id: { c: storeUuid(conversationId), u }, leftSeq: null })).rows;
      }
      const before = lastSeen.get(userId);
      const { rows, seen } = await (before ? readChanged(u, before) : readAll({ u, leftSeq: null }));
      lastSeen.set(userId, seen);
      return rows;
    },
  };
}

/** @param before what ended where it did unless it is among what was looked up. */
function lookOf(columns: Columns, before: ReadonlyMap<string, Known>): Look {
  const known = new Map(before);
  for (const id of columns.ids) known.delete(bytesOf(id));
  for (const [bytes, found] of knownOf(columns)) known.set(bytes, found);
  const goOn = new Set(columns.next.map(bytesOf));
  const rows = rowsOf(columns, known, goOn);
  const ended = new Map<string, Known>();
  for (const c of columns.c) {
    const bytes = bytesOf(c);
    const found = known.get(bytes);
    if (found && !goOn.has(bytes)) ended.set(bytes, found);
  }
  return {
    rows,
    seen: { ended, open: rows.flatMap(({ goesOn, conversationId }) => (goesOn ? [conversationId] : [])) },
  };
}

/** What is covered of conversations, by the bytes of their ids; none of those of which nothing is. */
function knownOf({ ids, seq, at }: Covered): Map<string, Known> {
  const known = new Map<string, Known>();
  for (const [row, id] of ids.entries()) {
    const [coveredTo, coveredAt] = [seq[row] ?? 0, at[row] ?? 0];
    if (coveredTo === 0) continue;
    const conversationId = readUuid(id);
    // Not what the driver read: that is a piece of a whole answer, which would stay in memory with it.
    const next = { c: storeUuid(conversationId), s: coveredTo + 1 };
    known.set(bytesOf(id), { conversationId, coveredTo, coveredAt, next });
  }
  return known;
}

function rowsOf(
  { c, firstSeq, readSeq }: Memberships,
  known: ReadonlyMap<string, Known>,
  goOn: ReadonlySet<string>,
): Overview[] {
  return c.map((id, index) => {
    const bytes = bytesOf(id);
    const found = known.get(bytes);
    return {
      conversationId: found?.conversationId ?? readUuid(id),
      firstSeq: firstSeq[index] ?? 1,
      coveredTo: found?.coveredTo ?? 0,
      coveredAt: found?.coveredAt ?? 0,
      goesOn: !found || goOn.has(bytes),
      readSeq: readSeq[index] ?? 0,
    };
  });
}

/** A key of 16 characters: to make a thousand UUIDs readable costs more than to look them up. */
const bytesOf = ({ buffer }: StoredUuid): string =>
  Buffer.from(buffer.buffer, buffer.byteOffset, 16).toString('latin1');
