import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { EntryBody } from '../src/log/entry.ts';
import { ownHeads } from '../src/reading/own-heads.ts';
import { createMongoBootStore } from '../src/storage/mongo-boot-store.ts';
import { toDocument } from '../src/storage/entry-document.ts';
import { createMongoReadStore } from '../src/storage/mongo-read-store.ts';
import { projectMembers } from '../src/storage/project-members.ts';
import { type CollectionsForTest, collectionsForTest } from './support/collections-for-test.ts';
import { countingReads } from './support/counting-reads.ts';
import { creation, message, newEntry } from './support/entries.ts';

let held: CollectionsForTest;
beforeAll(async () => {
  held = await collectionsForTest();
}, 30_000);
afterAll(() => held.close());

const base = 1_700_000_000_000;
const hourMs = 3_600_000;

/**
 * A group of two; 2 is a message, 3 removes the second member, 4 is a message. What is from 3 on is done only when it
 * is told to be.
 */
async function scene() {
  const { collections } = held;
  const [conversationId, owner, friend] = [randomUUID(), randomUUID(), randomUUID()];
  const add = async (seq: number, body: EntryBody) => {
    const entry = newEntry(conversationId, seq, owner, body, { at: base + seq });
    await collections.entries.insertOne(toDocument(entry));
  };
  await collections.boots.deleteMany({});
  const boots = createMongoBootStore(collections);
  const boot = { boot: randomUUID(), leaseUntil: Date.now() + hourMs };
  await boots.write({ ...boot, watermark: base + 3 });
  await add(1, creation(owner, friend));
  await projectMembers(collections, conversationId);
  await add(2, message('a'));
  await add(3, { type: 'member:removed', userId: friend });
  await add(4, message('b'));
  return {
    ...{ conversationId, owner, friend },
    async finish() {
      await projectMembers(collections, conversationId);
      await boots.write({ ...boot, watermark: base + hourMs });
    },
  };
}

describe('given the end of a membership that is not projected', () => {
  it('when the one it is about asks for heads, then theirs is before it, and the conversation is gone once it is projected', async () => {
    const { conversationId, owner, friend, finish } = await scene();
    const store = createMongoReadStore(held.collections);
    expect(await ownHeads(store, friend)).toEqual([{ conversationId, seq: 2 }]);
    expect(await ownHeads(store, owner)).toEqual([{ conversationId, seq: 2 }]);
    await finish();
    expect(await ownHeads(store, friend)).toEqual([]);
    expect(await ownHeads(store, owner)).toMatchObject([{ conversationId, seq: 4 }]);
  });

  it('when it is projected between any two of the reads, then no head is at or after it', async () => {
    const reads = ['doneUpTo', 'headsOf', 'firstUnprojected', 'memberOf'] as const;
    for (const last of reads) {
      const { conversationId, friend, finish } = await scene();
      const store = createMongoReadStore(held.collections);
      const before = async <T>(name: string, read: () => Promise<T>): Promise<T> => {
        if (name === last) await finish();
        return read();
      };
      const found = await ownHeads(
        {
          doneUpTo: () => before('doneUpTo', () => store.doneUpTo()),
          headsOf: (userId) => before('headsOf', () => store.headsOf(userId)),
          firstUnprojected: (ids) => before('firstUnprojected', () => store.firstUnprojected(ids)),
          memberOf: (userId, ids) => before('memberOf', () => store.memberOf(userId, ids)),
        },
        friend,
      );
      expect({ last, found: found.filter(({ seq }) => seq > 2) }).toEqual({ last, found: [] });
      expect(found.every((one) => one.conversationId === conversationId)).toBe(true);
    }
  });
});

describe('given conversations in which nothing happened lately', () => {
  it('when their heads are asked for, then two queries do', async () => {
    const { conversationId, owner, finish } = await scene();
    await finish();
    const { store, asked } = countingReads(createMongoReadStore(held.collections));
    expect(await ownHeads(store, owner)).toMatchObject([{ conversationId, seq: 4 }]);
    expect(asked).toEqual(['doneUpTo', 'headsOf']);
  });
});
