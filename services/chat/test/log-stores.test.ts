import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { entriesOfBoot } from '../src/log/boot-entries.ts';
import { applyEntry, type ConversationState, emptyState } from '../src/log/conversation-state.ts';
import type { EntryBody, LogEntry } from '../src/log/entry.ts';
import { project } from '../src/log/projections.ts';
import { creation, message, newEntry } from './support/entries.ts';
import { Died, type LogStores, openMemoryStores, openMongoStores } from './support/log-stores.ts';
import { nth } from './support/nth.ts';

describe.each([
  ['memory', openMemoryStores],
  ['MongoDB', () => openMongoStores()],
])('given the stores of the log in %s', (_name, open) => {
  let stores: LogStores;
  beforeAll(async () => void (stores = await open()));
  afterAll(() => stores.close());

  const conversation = () => ({ c: randomUUID(), owner: randomUUID(), friend: randomUUID() });
  const written = async (c: string, senderId: string, ...bodies: EntryBody[]) => {
    const entries = bodies.map((body, index) => newEntry(c, index + 1, senderId, body));
    for (const entry of entries) expect(await stores.entries.insert([entry], false)).toEqual(['inserted']);
    return entries;
  };
  const folded = (c: string, entries: LogEntry[]): ConversationState => {
    const state = emptyState(c);
    for (const entry of entries) applyEntry(state, entry);
    return state;
  };

  describe('when batches are inserted', () => {
    it('then an unordered one is refused entry by entry, each with its reason', async () => {
      const { owner } = conversation();
      const [free, taken, repeated] = [randomUUID(), randomUUID(), randomUUID()];
      await written(taken, owner, message('first'));
      const [first] = await written(repeated, owner, message('first'));
      const batch = [
        newEntry(taken, 1, owner, message('late')),
        newEntry(repeated, 2, owner, message('again'), { clientMsgId: first?.clientMsgId ?? '' }),
        newEntry(free, 1, owner, message('new')),
      ];
      expect(await stores.entries.insert(batch, false)).toEqual(['seq-taken', 'id-taken', 'inserted']);
      expect(await stores.entries.readAfter(free, 0, 10)).toEqual([batch[2]]);
      expect((await stores.entries.readAfter(taken, 0, 10)).length).toBe(1);
      expect((await stores.entries.readAfter(repeated, 0, 10)).length).toBe(1);
    });

    it.each([
      ['a seq', 'seq-taken'],
      ['a clientMsgId', 'id-taken'],
    ] as const)('then an ordered one ends where %s was taken, and leaves no hole', async (what, outcome) => {
      const { c, owner } = conversation();
      const [first] = await written(c, owner, message('first'));
      const clash = what === 'a seq' ? { seq: 1 } : { clientMsgId: first?.clientMsgId ?? '' };
      const batch = [2, 3, 4, 5].map((seq) => newEntry(c, seq, owner, message(`${seq}`), seq === 4 ? clash : {}));
      expect(await stores.entries.insert(batch, true)).toEqual(['inserted', 'inserted', outcome, 'not-tried']);
      expect((await stores.entries.readAfter(c, 0, 10)).map(({ seq }) => seq)).toEqual([1, 2, 3]);
    });

    it('then the same clientMsgId of another sender or conversation is another entry', async () => {
      const { c, owner, friend } = conversation();
      const clientMsgId = randomUUID();
      const batch = [
        newEntry(c, 1, owner, message('a'), { clientMsgId }),
        newEntry(c, 2, friend, message('b'), { clientMsgId }),
      ];
      expect(await stores.entries.insert(batch, true)).toEqual(['inserted', 'inserted']);
      const elsewhere = newEntry(randomUUID(), 1, owner, message('c'), { clientMsgId });
      expect(await stores.entries.insert([elsewhere], false)).toEqual(['inserted']);
      expect(await stores.entries.findByClientMsgId(c, friend, clientMsgId)).toEqual(batch[1]);
    });

    it('then of many at once for one address exactly one is inserted', async () => {
      const { c, owner } = conversation();
      const rivals = Array.from({ length: 20 }, (_, index) => newEntry(c, 1, owner, message(`${index}`)));
      const outcomes = await Promise.all(rivals.map((rival) => stores.entries.insert([rival], false)));
      expect(outcomes.flat().sort()).toEqual(['inserted', ...Array.from({ length: 19 }, () => 'seq-taken')]);
      const winner = rivals[outcomes.findIndex(([outcome]) => outcome === 'inserted')];
      expect(await stores.entries.readAfter(c, 0, 2)).toEqual([winner]);
    });
  });

  describe('when entries are read', () => {
    it('then pages follow the seq, and what was written is what is read', async () => {
      const { c, owner } = conversation();
      const attachment = {
        ...{ uploadId: randomUUID(), kind: 'image', fileName: 'a.png', contentType: 'image/png', size: 3 },
        ...{ width: 1, height: 2, durationMs: 0, thumbhash: '', status: 'ready', hasThumbnail: true },
      };
      const entries = await written(c, owner, creation(owner), message('ä€😀'), {
        ...(message('') as Extract<EntryBody, { type: 'message:new' }>),
        kind: 'image',
        attachments: [attachment],
      });
      expect(await stores.entries.readAfter(c, 0, 2)).toEqual(entries.slice(0, 2));
      expect(await stores.entries.readAfter(c, 2, 2)).toEqual(entries.slice(2));
      expect(await stores.entries.readAfter(c, 3, 2)).toEqual([]);
      expect(await stores.entries.readAfter(randomUUID(), 0, 2)).toEqual([]);
    });

    it('then a clientMsgId that nobody used is null', async () => {
      expect(await stores.entries.findByClientMsgId(randomUUID(), randomUUID(), randomUUID())).toBeNull();
    });

    it.each([1, 2, 3, 7, 50])('then the pages of a boot, %i at a time, hold each entry once, by time', async (size) => {
      const [by, other, { owner }] = [randomUUID(), randomUUID(), conversation()];
      // Many share a moment, as a batch does.
      const mine = Array.from({ length: 40 }, (_, index) =>
        newEntry(randomUUID(), 1, owner, message(`${index}`), { by, at: 1_000 + Math.floor((index * index) / 100) }),
      );
      const others = mine.map(({ at }) => newEntry(randomUUID(), 1, owner, message('x'), { by: other, at }));
      await stores.entries.insert([...mine, ...others], false);
      const read: LogEntry[] = [];
      for await (const page of entriesOfBoot(stores.entries, by, 1_004, size)) read.push(...page);
      const times = read.map(({ at }) => at);
      expect(times).toEqual([...times].sort((a, b) => a - b));
      const texts = (entries: LogEntry[]) => entries.map(({ conversationId }) => conversationId).sort();
      expect(texts(read)).toEqual(texts(mine.filter(({ at }) => at >= 1_004)));
    });
  });

  describe('when a state is loaded', () => {
    const history = ({ owner, friend }: { owner: string; friend: string }): EntryBody[] => [
      creation(owner, friend),
      message('a'),
      { type: 'member:removed', userId: friend },
      { type: 'member:added', userIds: [friend, randomUUID()], created: null },
      message('b'),
      { type: 'member:removed', userId: friend },
    ];

    it('then it is empty for a conversation without entries', async () => {
      const c = randomUUID();
      expect(await stores.entries.loadState(c)).toEqual(emptyState(c));
    });

    it('then it is the fold of the log, however far the projections are', async () => {
      const people = conversation();
      const bodies = history(people);
      for (let projected = 0; projected <= bodies.length; projected += 1) {
        const c = randomUUID();
        const entries = await written(c, people.owner, ...bodies.slice(0, projected));
        if (projected > 0) await stores.projections.projectMembers(c);
        for (const body of bodies.slice(projected)) {
          const entry = newEntry(c, entries.length + 1, people.owner, body);
          entries.push(entry);
          await stores.entries.insert([entry], false);
        }
        expect(await stores.entries.loadState(c)).toEqual(folded(c, entries));
      }
    });

    it('then it is so when a projecting process died at any of its steps, and projecting again completes it', async () => {
      const people = conversation();
      let survived = false;
      for (let step = 0; !survived; step += 1) {
        const c = randomUUID();
        const entries = await written(c, people.owner, ...history(people));
        const died = await stores
          .dyingProjections(step)
          .projectMembers(c)
          .then(
            () => false,
            (error: unknown) => error instanceof Died,
          );
        survived = !died;
        expect(await stores.entries.loadState(c)).toEqual(folded(c, entries));
        await stores.projections.projectMembers(c);
        expect(await stores.appliedSeq(c)).toBe(6);
        expect(await stores.entries.loadState(c)).toEqual(folded(c, entries));
        expect(step).toBeLessThan(30);
      }
    });

    it('then many projecting at once agree', async () => {
      const people = conversation();
      const c = randomUUID();
      const entries = await written(c, people.owner, ...history(people));
      await Promise.all(Array.from({ length: 16 }, () => stores.projections.projectMembers(c)));
      expect(await stores.entries.loadState(c)).toEqual(folded(c, entries));
      expect(await stores.appliedSeq(c)).toBe(6);
    });
  });

  describe('when edits and deletions are projected', () => {
    const bodies: EntryBody[] = [
      message('first'),
      { type: 'message:edited', target: 1, text: 'second' },
      { type: 'message:edited', target: 1, text: 'third' },
      { type: 'message:deleted', target: 1 },
    ];
    const orders = [[1], [1, 2], [2, 1], [1, 2, 3], [1, 3, 2], [2, 3, 1], [3, 1, 2], [3, 2, 1], [2, 1, 2, 3, 1, 2, 3]];

    it.each(orders.map((order) => [order]))(
      'then the latest wins and a deletion absorbs, in the order %j',
      async (order) => {
        const { c, owner } = conversation();
        const entries = await written(c, owner, ...bodies);
        for (const index of order) await project(stores.projections, nth(entries, index));
        const [target, ...edits] = (await stores.entries.readAfter(c, 0, 10)).map(({ body }) => body);
        const deleted = order.includes(3);
        const last = nth(entries, order.includes(2) ? 2 : 1);
        expect(target).toMatchObject({
          text: deleted ? '' : order.includes(2) ? 'third' : 'second',
          deletedAt: deleted ? entries[3]?.at : null,
        });
        if (!deleted) expect(target).toMatchObject({ editedAt: last.at });
        const texts = edits.map((body) => (body.type === 'message:edited' ? body.text : null));
        const left = (index: number, text: string) => (deleted && order.includes(index) ? '' : text);
        expect(texts).toEqual([left(1, 'second'), left(2, 'third'), null]);
      },
    );
  });

  describe('when boots are left behind', () => {
    const record = (leaseUntil: number) => ({ boot: randomUUID(), watermark: leaseUntil - 50, leaseUntil });

    it('then each is claimed once, oldest lease first, and again when its claim or its pass is over', async () => {
      const [first, second, alive] = [record(1_000), record(1_001), record(5_000)];
      for (const boot of [alive, second, first]) await stores.boots.write(boot);
      const claim = (now: number) => stores.boots.claim(now, 100);
      expect(await claim(2_000)).toEqual({ boot: first.boot, watermark: 950, passes: 0 });
      expect(await claim(2_000)).toEqual({ boot: second.boot, watermark: 951, passes: 0 });
      expect(await claim(2_000)).toBeNull();
      expect(await claim(2_101)).toMatchObject({ boot: first.boot });
      await stores.boots.finishPass(first.boot, 3_000);
      await stores.boots.remove(second.boot);
      expect(await claim(2_999)).toBeNull();
      expect(await claim(3_000)).toEqual({ boot: first.boot, watermark: 950, passes: 1 });
      await stores.boots.remove(first.boot);
      expect(await claim(4_999)).toBeNull();
      await stores.boots.write({ ...alive, leaseUntil: 9_000 });
      expect(await claim(6_000)).toBeNull();
      await stores.boots.remove(alive.boot);
    });
  });
});

describe('given a group in slow mode, in MongoDB', () => {
  it('when its state is loaded, then it knows who spoke within that time of the clock, and nobody else', async () => {
    const now = Date.now() + 3_600_000;
    const stores = await openMongoStores(() => now);
    const [c, owner, early, late] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
    const slow: EntryBody = { type: 'conversation:updated', changes: { slowModeSeconds: 30 } };
    const entries = [
      newEntry(c, 1, owner, creation(owner, early, late)),
      newEntry(c, 2, owner, slow),
      { ...newEntry(c, 3, early, message('31 s ago')), at: now - 31_000 },
      { ...newEntry(c, 4, late, message('29 s ago')), at: now - 29_000 },
    ];
    for (const entry of entries) expect(await stores.entries.insert([entry], false)).toEqual(['inserted']);
    const { members } = await stores.entries.loadState(c);
    const spoke = [owner, early, late].map((userId) => members.get(userId)?.lastMessageAt);
    expect(spoke).toEqual([0, 0, now - 29_000]);
    await stores.close();
  });
});
