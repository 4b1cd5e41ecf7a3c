import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { storeUuid } from '@bluewave/mongo/uuid';
import { listViews } from '../src/reading/list-views.ts';
import { Indexer } from '../src/search/indexer.ts';
import { createMongoEntryStore } from '../src/storage/mongo-entry-store.ts';
import { createMongoReadStore } from '../src/storage/mongo-read-store.ts';
import { createMongoSearchIndex } from '../src/storage/mongo-search-index.ts';
import { type ChatUnderTest, startChatUnderTest } from './support/chat-under-test.ts';
import { countingReads } from './support/counting-reads.ts';
import { testLog } from './support/environment.ts';
import { nth } from './support/nth.ts';

/** Nothing is indexed but by these tests. */
const never = { tickMs: 1_000_000, quietMs: 0, oldMs: 0, tailEntries: 1, sweep: 1_000 };
let chat: ChatUnderTest;
beforeAll(async () => {
  chat = await startChatUnderTest({ indexerTimings: never });
}, 60_000);
afterAll(() => chat.close());

async function indexAll(): Promise<void> {
  const { collections } = chat;
  const index = createMongoSearchIndex(collections);
  const entries = createMongoEntryStore(collections, testLog, Date.now);
  const indexer = new Indexer({ index, entries, clock: Date.now, log: testLog, timings: never });
  await indexer.runOnce();
  await indexer.close();
}

describe.each(['not indexed', 'indexed', 'indexed before the last message'])(
  'given conversations that are %s',
  (stage) => {
    it('when they are listed page by page, then each comes once, last activity first, in three queries a page', async () => {
      const [owner, friend] = [randomUUID(), randomUUID()];
      const [replica] = chat.replicas;
      const ids: string[] = [];
      for (let index = 0; index < 5; index += 1) {
        const id = await replica.group(owner, friend);
        ids.push(id);
        await replica.send({ actorId: friend, conversationId: id, text: `first in ${index}` });
      }
      await replica.send({ actorId: owner, conversationId: nth(ids, 3), text: 'own' });
      const { message: gone } = await replica.send({ actorId: friend, conversationId: nth(ids, 1), text: 'gone' });
      await replica.insist.DeleteMessage({ actorId: friend, conversationId: nth(ids, 1), seq: gone?.seq ?? 0 });
      if (stage !== 'not indexed') await indexAll();
      if (stage === 'indexed before the last message') {
        await replica.send({ actorId: friend, conversationId: nth(ids, 0), text: 'news' });
      }
      const expected = [
        ...(stage === 'indexed before the last message' ? [[0, 'news', 2] as const] : []),
        ...([
          [1, 'first in 1', 1],
          [3, 'own', 1],
          [4, 'first in 4', 1],
          [2, 'first in 2', 1],
        ] as const),
        ...(stage === 'indexed before the last message' ? [] : [[0, 'first in 0', 1] as const]),
      ];
      const { store, asked } = countingReads(createMongoReadStore(chat.collections));
      const read: unknown[] = [];
      let cursor = '';
      let pages = 0;
      do {
        const page = await listViews(store, owner, 2, cursor);
        read.push(
          ...page.views.map(({ shared, lastMessage, unread }) => {
            const text = lastMessage?.body.type === 'message:new' ? lastMessage.body.text : '';
            return [ids.indexOf(shared.conversationId), text, unread.count];
          }),
        );
        cursor = page.nextCursor;
        pages += 1;
      } while (cursor !== '');
      expect(read).toEqual(expected);
      expect(pages).toBe(3);
      expect(asked.length).toBe(3 * pages);
    }, 30_000);
  },
);

describe.each(['not indexed', 'indexed'])(
  'given logs that end with more than the last few entries say, %s',
  (stage) => {
    it('when they are listed, then each is as its own view says', async () => {
      const [owner, friend] = [randomUUID(), randomUUID()];
      const [replica] = chat.replicas;
      const [reacted, unread, empty, deleted] = [
        await replica.group(owner, friend),
        await replica.group(owner, friend),
        await replica.group(owner, friend),
        await replica.group(owner, friend),
      ];
      const { seq } = await replica.say(friend, reacted, 'the last message');
      for (let index = 0; index < 12; index += 1) {
        const reaction = { actorId: owner, conversationId: reacted, seq, emoji: `:mark${index}:`, on: true };
        await replica.insist.React(reaction);
      }
      await Promise.all(Array.from({ length: 150 }, () => replica.say(friend, unread, 'one of many')));
      const gone = [await replica.say(friend, deleted, 'a'), await replica.say(friend, deleted, 'b')];
      for (const message of gone) {
        await replica.insist.DeleteMessage({ actorId: friend, conversationId: deleted, seq: message.seq });
      }
      if (stage === 'indexed') await indexAll();
      const { conversations } = await replica.insist.ListConversations({ actorId: owner, limit: 10, cursor: '' });
      const listed = new Map(conversations.map((one) => [one.info?.id, one]));
      for (const conversationId of [reacted, unread, empty, deleted]) {
        const view = await replica.insist.GetConversation({ actorId: owner, conversationId });
        expect(listed.get(conversationId)).toEqual(view);
      }
      expect(listed.get(reacted)?.lastMessage?.text).toBe('the last message');
      expect(listed.get(unread)?.me?.unread).toBe(150);
      expect(listed.get(deleted)?.lastMessage).toBeNull();
    }, 60_000);
  },
);

describe('given a store that remembers where logs ended', () => {
  it('when conversations grow, are indexed, are joined and left, then it lists them as one does that remembers nothing', async () => {
    const [owner, friend] = [randomUUID(), randomUUID()];
    const [replica] = chat.replicas;
    const ids = [await replica.group(friend, owner), await replica.group(friend, owner)];
    const [first, second] = [nth(ids, 0), nth(ids, 1)];
    const send = (conversationId: string, text: string) => replica.send({ actorId: friend, conversationId, text });
    const addTo = (conversationId: string) =>
      replica.call.AddMembers({ actorId: friend, conversationId, userIds: [owner] });
    const steps: (() => Promise<unknown>)[] = [
      () => send(first, 'not indexed'),
      indexAll,
      () => send(second, 'after what is indexed'),
      async () => {
        await indexAll();
        await send(second, 'moved, and moved on');
      },
      async () => addTo(await replica.group(friend, randomUUID())),
      indexAll,
      async () => {
        for (let count = 0; count < 40; count += 1) await send(first, 'more than is likely');
      },
      () => replica.call.RemoveMember({ actorId: friend, conversationId: first, userId: owner }),
      async () => {
        for (let count = 0; count < 34; count += 1) await addTo(await replica.group(friend, randomUUID()));
      },
      indexAll,
      async () => {
        const all = await createMongoReadStore(chat.collections).overview(owner);
        for (const { conversationId } of all) await send(conversationId, 'in all of them');
      },
    ];
    const remembers = createMongoReadStore(chat.collections);
    for (const step of steps) {
      await step();
      const fresh = createMongoReadStore(chat.collections);
      for (let time = 0; time < 2; time += 1) {
        expect(await listViews(remembers, owner, 100, '')).toEqual(await listViews(fresh, owner, 100, ''));
      }
    }
  }, 60_000);
});

describe('given a member who sees a conversation from their joining on', () => {
  it('when they list it, then its last message is none from before', async () => {
    const [owner, late] = [randomUUID(), randomUUID()];
    const [replica] = chat.replicas;
    const id = await replica.group(owner, randomUUID());
    await replica.send({ actorId: owner, conversationId: id, text: 'before' });
    await chat.collections.conversations.updateOne({ _id: storeUuid(id) }, { $set: { history: 'joined' } });
    await replica.insist.AddMembers({ actorId: owner, conversationId: id, userIds: [late] });
    await chat.collections.members.updateOne(
      { _id: { c: storeUuid(id), u: storeUuid(late) } },
      { $set: { firstSeq: 3 } },
    );
    const list = async () =>
      (await replica.insist.ListConversations({ actorId: late, limit: 5, cursor: '' })).conversations;
    expect(nth(await list(), 0).lastMessage).toBeNull();
    expect((await replica.insist.GetConversation({ actorId: late, conversationId: id })).lastMessage).toBeNull();
    await replica.send({ actorId: owner, conversationId: id, text: 'after' });
    expect(nth(await list(), 0).lastMessage).toMatchObject({ text: 'after' });
  }, 30_000);
});
