import { describe, expect, it } from '@jest/globals';
import { type BluewaveError, createMemoryStore, type Store, type StoreBatch } from '@bluewave/sdk';

import { Keeper } from '../src/store/keeper.ts';
import { mergeMessages } from '../src/views/reduce-messages.ts';
import { ManualClock, settle } from './support/manual-clock.ts';
import { aConversation, aMessage } from './support/objects.ts';

const held = (have: number) => ({
  id: 'c1',
  have,
  conversation: aConversation(),
  wanted: { readSeq: 0, deliveredSeq: 0 },
});
const one = (seq: number) => ({ message: aMessage({ seq }), asOf: seq });

/** A memory store that remembers its batches and fails when it is told to. */
function watchedStore(): { store: Store; batches: StoreBatch[]; fail: (times: number) => void } {
  const inner = createMemoryStore();
  const batches: StoreBatch[] = [];
  let failures = 0;
  const store: Store = {
    ...inner,
    async write(batch) {
      await settle();
      if (failures > 0) {
        failures -= 1;
        throw new Error('the disk is full');
      }
      batches.push(batch);
      await inner.write(batch);
    },
  };
  return { store, batches, fail: (times) => void (failures = times) };
}

function createKeeper(kept = 50) {
  const watched = watchedStore();
  const clock = new ManualClock();
  const problems: BluewaveError[] = [];
  const keeper = new Keeper({ store: watched.store, clock, kept, onProblem: (error) => problems.push(error) });
  return { ...watched, clock, problems, keeper };
}

describe('the keeper', () => {
  it('given entries and the seq they lead to, when they are kept, then both are in one batch', async () => {
    const { keeper, batches } = createKeeper();
    keeper.keepConversation(held(2));
    keeper.changeMessages('c1', (messages) => mergeMessages(messages, [one(1), one(2)]));
    await keeper.settled();
    expect(batches).toHaveLength(1);
    expect(batches[0]).toMatchObject({
      conversations: [{ id: 'c1', have: 2 }],
      messages: [{ conversationId: 'c1', messages: [one(1), one(2)] }],
    });
  });

  it('given changes while a write is under way, when it ends, then they are one more batch', async () => {
    const { keeper, batches } = createKeeper();
    keeper.keepValue('a', '1');
    await Promise.resolve();
    await Promise.resolve();
    for (let have = 1; have <= 5; have += 1) keeper.keepConversation(held(have));
    await keeper.settled();
    expect(batches.map(({ values, conversations }) => [values.length, conversations.map(({ have }) => have)])).toEqual([
      [1, []],
      [0, [5]],
    ]);
  });

  it('given more messages than are kept, when they are written, then the newest stay', async () => {
    const { keeper } = createKeeper(3);
    for (let seq = 1; seq <= 10; seq += 1) keeper.changeMessages('c1', (all) => mergeMessages(all, [one(seq)]));
    expect((await keeper.read('c1')).map(({ message }) => message.seq)).toEqual([8, 9, 10]);
  });

  it('given a conversation that goes and comes back, when it is kept, then nothing of before is left', async () => {
    const { keeper } = createKeeper();
    keeper.changeMessages('c1', (all) => mergeMessages(all, [one(1)]));
    await keeper.settled();
    keeper.changeMessages('c1', (all) => mergeMessages(all, [one(2)]));
    keeper.forgetConversation('c1');
    keeper.changeMessages('c1', (all) => mergeMessages(all, [one(3)]));
    expect(await keeper.read('c1')).toEqual([one(3)]);
  });

  it('given a store that fails, when it works again, then the same batch is written before any later one', async () => {
    const { keeper, batches, clock, problems, fail } = createKeeper();
    fail(2);
    keeper.keepConversation(held(1));
    keeper.changeMessages('c1', (all) => mergeMessages(all, [one(1)]));
    await keeper.settled();
    expect(problems).toMatchObject([{ code: 'STORE_FAILED', retryable: true }]);
    keeper.keepConversation(held(2));
    await clock.pass(1_000);
    await clock.pass(2_000);
    await keeper.settled();
    expect(problems).toHaveLength(2);
    expect(batches.map(({ conversations }) => conversations.map(({ have }) => have))).toEqual([[1], [2]]);
    expect(await keeper.read('c1')).toEqual([one(1)]);
  });

  it('given a client that ends while the store fails, when it closes, then it does not wait for ever', async () => {
    const { keeper, fail, problems } = createKeeper();
    fail(100);
    keeper.keepValue('a', '1');
    await keeper.close();
    expect(problems.length).toBeGreaterThan(0);
  });
});
