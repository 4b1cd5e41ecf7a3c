import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { storeUuid } from '@bluewave/mongo/uuid';
import fc from 'fast-check';
import type { EntryBody } from '../src/log/entry.ts';
import { retentionSizes } from '../src/retention/retention.ts';
import type { ChatCollections } from '../src/storage/collections.ts';
import { fromDocument, toDocument } from '../src/storage/entry-document.ts';
import { createMongoProjectionStore } from '../src/storage/mongo-projection-store.ts';
import { createMongoSearchIndex } from '../src/storage/mongo-search-index.ts';
import { type CollectionsForTest, collectionsForTest } from './support/collections-for-test.ts';
import { creation, message, newEntry } from './support/entries.ts';
import { dyingParts, retentionBefore, retentionParts, upToDeath } from './support/retention.ts';

let held: CollectionsForTest;
let collections: ChatCollections;
beforeAll(async () => {
  held = await collectionsForTest();
  ({ collections } = held);
}, 30_000);
afterAll(() => held.close());

type Written = Awaited<ReturnType<typeof write>>;

const base = 1_700_000_000_000;
const olderThan = base + 1_000;

/** A conversation of two, all but the last `young` of whose entries are old; one message is starred, one has reactions. */
async function write(length: number, young: number) {
  const [conversationId, owner, friend] = [randomUUID(), randomUUID(), randomUUID()];
  const c = storeUuid(conversationId);
  const add = async (seq: number, body: EntryBody) => {
    const at = seq > length - young ? olderThan + seq : base + seq;
    await collections.entries.insertOne(toDocument(newEntry(conversationId, seq, owner, body, { at })));
    if (body.type === 'member:added') await createMongoProjectionStore(collections).projectMembers(conversationId);
  };
  for (let seq = 1; seq <= length; seq += 1) await add(seq, seq === 1 ? creation(owner, friend) : message(`m${seq}`));
  const u = storeUuid(friend);
  await collections.stars.insertOne({ _id: { u, c, s: 2 }, u, on: true, at: new Date() });
  await collections.reactions.insertOne({
    _id: { c, s: 2, u, e: 'a' },
    c,
    s: 2,
    u,
    e: 'a',
    on: true,
    seq: 3,
    at: new Date(),
  });
  const all = await collections.entries.find({ '_id.c': c }).sort({ _id: 1 }).toArray();
  await createMongoSearchIndex(collections).cover(conversationId, 0, all.map(fromDocument));
  return { conversationId, c, owner, friend, floor: length - Math.max(young, 1) + 1, all, add };
}

/** What is wrong with what there is of a conversation; only what may be so at any time, unless retention is `done`. */
async function faultsOf({ c, all, floor }: Written, isDone: boolean): Promise<string[]> {
  const log = await collections.entries.find({ '_id.c': c }).sort({ _id: 1 }).toArray();
  const archive = await collections.archivedEntries.find({ '_id.c': c }).sort({ _id: 1 }).toArray();
  const members = await collections.members.find({ c, leftSeq: null }).toArray();
  const conversation = await collections.conversations.findOne({ _id: c });
  const faults: string[] = [];
  const note = (isFault: boolean, fault: string) => void (isFault && faults.push(fault));
  const first = log[0]?._id.s ?? 0;
  note(
    log.some(({ _id }, index) => _id.s !== first + index && _id.s >= floor),
    'a hole in the log',
  );
  note(log.at(-1)?._id.s !== all.at(-1)?._id.s, 'the head is another one');
  for (const member of members) {
    const readable = log.filter(({ _id }) => _id.s >= member.firstSeq).map(({ _id }) => _id.s);
    note(readable[0] !== member.firstSeq, `a member begins at ${member.firstSeq}, what is there at ${readable[0]}`);
    note(
      readable.some((seq, index) => seq !== member.firstSeq + index),
      'a hole in what a member reads',
    );
  }
  const kept = new Map([...archive, ...log].map((entry) => [entry._id.s, entry]));
  for (const entry of all) {
    const found = kept.get(entry._id.s);
    note(
      !found || JSON.stringify(fromDocument(found)) !== JSON.stringify(fromDocument(entry)),
      `${entry._id.s} is lost`,
    );
  }
  if (!isDone) return faults;
  note(first !== floor, `the log begins at ${first}, not at ${floor}`);
  note(
    archive.length !== floor - 1 || archive.some(({ _id }, index) => _id.s !== index + 1),
    'the archive is not exact',
  );
  note(
    members.some(({ firstSeq }) => firstSeq !== floor),
    'a member begins elsewhere',
  );
  note(conversation?.archiving !== undefined || (floor > 1 && conversation?.floor !== floor), 'it is not finished');
  const marks = [
    await collections.stars.countDocuments({ '_id.c': c }),
    await collections.reactions.countDocuments({ c }),
  ];
  note(floor > 2 && marks.some((count) => count > 0), 'marks are left');
  return faults;
}

const small = { ...retentionSizes, settleMs: 0, entries: 3, looked: 8 };

/** Runs that come to their end, until there is nothing left to do. */
async function runToTheEnd({ c }: Written): Promise<void> {
  // A dead one's lease is over, and what was looked at is looked at again.
  await collections.jobs.deleteMany({});
  for (let run = 0; run < 6; run += 1) {
    await collections.conversations.updateOne({ _id: c, archiving: { $exists: false } }, { $unset: { lookFrom: 1 } });
    const last = retentionBefore(retentionParts(collections), olderThan, { sizes: small });
    await last.runOnce();
    await last.close();
  }
}

const moment = fc.record({
  access: fc.integer({ min: 1, max: 40 }),
  when: fc.constantFrom('before' as const, 'after' as const),
});

describe('given entries that became old', () => {
  it('when the process dies before or after any step, then nothing is lost, and another one finishes', async () => {
    for (const when of ['before', 'after'] as const) {
      let isOver = false;
      for (let access = 1; !isOver; access += 1) {
        const written = await write(12, 4);
        const dying = dyingParts(retentionParts(collections), access, when);
        const first = retentionBefore(dying.parts, olderThan, { sizes: small });
        await upToDeath(first.runOnce());
        await upToDeath(first.runOnce());
        await upToDeath(first.close());
        isOver = dying.lived();
        expect({ access, faults: await faultsOf(written, false) }).toEqual({ access, faults: [] });
        await runToTheEnd(written);
        expect({ access, faults: await faultsOf(written, true) }).toEqual({ access, faults: [] });
      }
    }
  }, 120_000);

  it('when several work at once and die anywhere while people write and join, then nothing is lost or double', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({ length: fc.integer({ min: 2, max: 14 }), young: fc.nat(5), deaths: fc.tuple(moment, moment) }),
        async ({ length, young, deaths }) => {
          const written = await write(length, Math.min(young, length - 1));
          // Two that both believe to have the job.
          const leases = { hold: async () => true, release: async () => undefined };
          const workers = deaths.map(({ access, when }) => {
            const { parts } = dyingParts({ ...retentionParts(collections), leases }, access, when);
            return retentionBefore(parts, olderThan, { sizes: small });
          });
          const newcomer = randomUUID();
          const joins: EntryBody = { type: 'member:added', userIds: [newcomer], created: null };
          await Promise.all([
            ...workers.map(async (worker) => {
              for (let run = 0; run < 3; run += 1) await upToDeath(worker.runOnce());
            }),
            written.add(length + 1, joins).then(() => written.add(length + 2, message('on'))),
          ]);
          await Promise.all(workers.map((worker) => upToDeath(worker.close())));
          const late = [length + 1, length + 2].map((s) => ({ c: written.c, s }));
          written.all.push(
            ...(await collections.entries
              .find({ _id: { $in: late } })
              .sort({ _id: 1 })
              .toArray()),
          );
          expect(await faultsOf(written, false)).toEqual([]);
          await runToTheEnd(written);
          const isAllOld = young === 0;
          const floor = isAllOld ? Math.max(length, 1) : written.floor;
          // What was added later is young; the head of before may have to go with it now.
          const now = (await collections.conversations.findOne({ _id: written.c }))?.floor ?? 1;
          expect([floor, floor + 1]).toContain(now);
          expect(await faultsOf({ ...written, floor: now }, true)).toEqual([]);
        },
      ),
      { numRuns: 25 },
    );
  }, 180_000);
});
