import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { viewOf } from '../src/reading/conversation-views.ts';
import { rememberLargeCounts } from '../src/reading/large-counts.ts';
import type { ReadStore } from '../src/reading/read-store.ts';
import { createMongoReadStore } from '../src/storage/mongo-read-store.ts';
import { type ChatUnderTest, startChatUnderTest } from './support/chat-under-test.ts';
import { type LongHistory, messagesOf, writeLongHistory } from './support/long-history.ts';

const length = 2_600;

describe('given more than a thousand unread messages', () => {
  let chat: ChatUnderTest;
  let history: LongHistory;
  let store: ReadStore;
  let now = Date.now();
  let counted = 0;
  beforeAll(async () => {
    chat = await startChatUnderTest();
    history = await writeLongHistory(chat, length);
    const reads = createMongoReadStore(chat.collections);
    const unread: ReadStore['unread'] = (memberships, heads) => {
      counted += 1;
      return reads.unread(memberships, heads);
    };
    store = rememberLargeCounts({ ...reads, unread }, () => now);
  }, 60_000);
  afterAll(() => chat?.close(), 30_000);

  const unreadOf = async (): Promise<number> => {
    const { unread } = await viewOf(store, history.conversationId, history.friend);
    return unread.count;
  };

  it('when they are asked for again and again, then they are counted once, until something is different', async () => {
    const { conversationId, owner, friend } = history;
    const [replica] = chat.replicas;
    // The owner writes what has an odd seq.
    const expected = messagesOf(length).filter(({ seq, isDeleted }) => seq % 2 === 1 && !isDeleted).length;
    expect([await unreadOf(), await unreadOf(), await unreadOf()]).toEqual([expected, expected, expected]);
    expect(counted).toBe(1);

    await replica.say(owner, conversationId, 'one more');
    expect([await unreadOf(), await unreadOf()]).toEqual([expected + 1, expected + 1]);
    expect(counted).toBe(2);

    now += 2_000;
    expect([await unreadOf(), counted]).toEqual([expected + 1, 3]);

    await replica.mark(friend, conversationId, { readSeq: length });
    expect([await unreadOf(), await unreadOf(), counted]).toEqual([1, 1, 5]);
  });
});
