import { afterEach, describe, expect, it } from '@jest/globals';
import { createMemoryStore, type OutboxItem, type Store, type StoreBatch } from '@bluewave/sdk';
import { createDexieStore } from '@bluewave/sdk/dexie-store';
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb';
import { aConversation, aMessage } from './support/objects.ts';

const nothing: StoreBatch = {
  conversations: [],
  messages: [],
  outbox: [],
  values: [],
  goneConversations: [],
  goneOutbox: [],
};
const conversation = (id: string, have = 1) => ({
  id,
  have,
  conversation: aConversation({ id }),
  wanted: { readSeq: 0, deliveredSeq: 0 },
});
const messages = (conversationId: string, ...seqs: number[]) => ({
  conversationId,
  messages: seqs.map((seq) => ({ message: aMessage({ conversationId, seq }), asOf: seq })),
});
const item = (id: string, order: number): OutboxItem => ({
  id,
  conversationId: 'c1',
  order,
  createdAt: '2026-01-31T12:00:00.000Z',
  kind: 'send',
  body: { text: id },
});

const memoryStores = () => {
  const store = createMemoryStore();
  return { open: () => store, outlives: false };
};
const dexieStores = () => {
  const indexedDB = new IDBFactory();
  return { open: () => createDexieStore({ name: 'bluewave', indexedDB, IDBKeyRange }), outlives: true };
};

for (const [name, stores] of [
  ['in memory', memoryStores],
  ['in IndexedDB', dexieStores],
] as const) {
  describe(`a store ${name}`, () => {
    const opened: Store[] = [];
    const { open, outlives } = stores();
    const start = async (): Promise<Store> => {
      const store = open();
      opened.push(store);
      await store.clear();
      return store;
    };
    afterEach(async () => {
      for (const store of opened.splice(0)) await store.close();
    });

    it('given nothing was kept, when it is loaded, then it is empty', async () => {
      const store = await start();
      expect(await store.load()).toEqual({ conversations: [], outbox: [], values: {} });
      expect(await store.messages('c1')).toEqual([]);
    });

    it('given a batch, when it was written, then all of it is there, the outbox in order', async () => {
      const store = await start();
      await store.write({
        ...nothing,
        conversations: [conversation('c1'), conversation('c2')],
        messages: [messages('c1', 1, 2)],
        outbox: [item('b', 2), item('a', 1)],
        values: [{ name: 'deviceId', value: 'd1' }],
      });
      const state = await store.load();
      expect(state.conversations.sort((one, other) => one.id.localeCompare(other.id))).toEqual([
        conversation('c1'),
        conversation('c2'),
      ]);
      expect(state.outbox).toEqual([item('a', 1), item('b', 2)]);
      expect(state.values).toEqual({ deviceId: 'd1' });
      expect(await store.messages('c1')).toEqual(messages('c1', 1, 2).messages);
      expect(await store.messages('c2')).toEqual([]);
    });

    it('given something kept, when it is written again, then the newer one replaces it', async () => {
      const store = await start();
      await store.write({ ...nothing, conversations: [conversation('c1', 1)], messages: [messages('c1', 1, 2)] });
      await store.write({ ...nothing, conversations: [conversation('c1', 3)], messages: [messages('c1', 2, 3)] });
      expect((await store.load()).conversations).toEqual([conversation('c1', 3)]);
      expect(await store.messages('c1')).toEqual(messages('c1', 2, 3).messages);
    });

    it('given a conversation, when it goes, then its messages go too, but not what the same batch brings', async () => {
      const store = await start();
      await store.write({
        ...nothing,
        conversations: [conversation('c1', 9), conversation('c2', 9)],
        messages: [messages('c1', 9), messages('c2', 9)],
        outbox: [item('a', 1)],
      });
      await store.write({
        ...nothing,
        goneConversations: ['c1', 'c2'],
        goneOutbox: ['a'],
        conversations: [conversation('c2', 1)],
        messages: [messages('c2', 1)],
      });
      expect(await store.load()).toEqual({ conversations: [conversation('c2', 1)], outbox: [], values: {} });
      expect([await store.messages('c1'), await store.messages('c2')]).toEqual([[], messages('c2', 1).messages]);
    });

    it('given what was kept, when the caller changes its own objects, then the store does not', async () => {
      const store = await start();
      const mine = conversation('c1');
      await store.write({ ...nothing, conversations: [mine] });
      mine.have = 99;
      const [loaded] = (await store.load()).conversations;
      if (loaded) loaded.have = 77;
      expect((await store.load()).conversations).toEqual([conversation('c1')]);
    });

    it('given things of one user, when it is cleared, then nothing is left', async () => {
      const store = await start();
      await store.write({
        ...nothing,
        conversations: [conversation('c1')],
        messages: [messages('c1', 1)],
        outbox: [item('a', 1)],
        values: [{ name: 'deviceId', value: 'd1' }],
      });
      await store.clear();
      expect(await store.load()).toEqual({ conversations: [], outbox: [], values: {} });
      expect(await store.messages('c1')).toEqual([]);
    });

    it('given a page that is reloaded, when the store is opened again, then everything is there', async () => {
      const store = await start();
      await store.write({ ...nothing, conversations: [conversation('c1')], outbox: [item('a', 1)] });
      if (outlives) await store.close();
      const again = open();
      opened.push(again);
      expect(await again.load()).toEqual({ conversations: [conversation('c1')], outbox: [item('a', 1)], values: {} });
    });
  });
}
