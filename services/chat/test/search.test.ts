import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AppError } from '@bluewave/errors/app-error';
import type { SearchMessagesRequest } from '@bluewave/protos/generated/bluewave/chat/v1/SearchMessagesRequest';
import { storeUuid } from '@bluewave/mongo/uuid';
import { toDocument } from '../src/storage/entry-document.ts';
import { type ChatUnderTest, eventually, startChatUnderTest } from './support/chat-under-test.ts';
import { newEntry } from './support/entries.ts';
import { nth } from './support/nth.ts';

let chat: ChatUnderTest;
beforeAll(async () => {
  chat = await startChatUnderTest({
    timings: { leaseMs: 1_500, renewMs: 100, recoveryMs: 200 },
    indexerTimings: { tickMs: 50, quietMs: 100, oldMs: 1_000, tailEntries: 128, sweep: 100 },
  });
}, 60_000);
afterAll(() => chat.close());

type Asked = Partial<SearchMessagesRequest> & { actorId: string };
const anything = { query: '', conversationId: '', senderId: '', type: '', limit: 50, cursor: '' };

const search = (asked: Asked, replica = 0) =>
  insistently(() => nth(chat.replicas, replica).insist.SearchMessages({ ...anything, ...asked }));
const newGroup = (owner: string, other: string) => insistently(() => chat.replicas[0].group(owner, other));

/** Asks again what a busy machine did not answer in time. */
async function insistently<T>(ask: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await ask();
    } catch (error) {
      if (tries === 5 || !(error instanceof AppError && error.retryable)) throw error;
    }
  }
}
const textsOf = async (asked: Asked, replica = 0) =>
  (await search(asked, replica)).items.map(({ message }) => message?.text);

async function sendAll(conversationId: string, actorId: string, texts: string[]): Promise<number[]> {
  const seqs: number[] = [];
  for (const text of texts) {
    const { message } = await chat.replicas[0].send({ actorId, conversationId, text });
    seqs.push(message?.seq ?? 0);
  }
  return seqs;
}

/** Resolves when the index covers the whole log of a conversation. */
async function indexed(conversationId: string): Promise<void> {
  const _id = storeUuid(conversationId);
  await eventually(async () => {
    const [last] = (await chat.log(conversationId)).slice(-1);
    const found = await chat.collections.conversations.findOne({ _id });
    return found?.indexed?.seq === last?.seq ? true : undefined;
  }, 15_000);
}

describe('given conversations of one reader', () => {
  it('when words of any script are searched, before they are indexed and after, then each finds its message', async () => {
    const texts: [query: string, text: string][] = [
      ['火车', '去东京的火车票'],
      ['寿司', 'お寿司が大好きです'],
      ['カメラ', '新しいｶﾒﾗを買った'],
      ['대학교', '서울대학교에서 만나요'],
      ['สวัสดี', 'เขาพูดว่าสวัสดีครับ'],
      ['ສະບາຍດີ', 'ເວົ້າວ່າສະບາຍດີ'],
      ['ខ្មែរ', 'ភាសាខ្មែរ'],
      ['मुंबई', 'हम मुंबई जा रहे हैं'],
      ['مكتب', 'ذهبت إلى مَكتب'],
      ['שלום', 'שָׁלוֹם עולם'],
      ['ελλας', 'ΕΛΛΆΣ σήμερα'],
      ['все', 'ВСЁ хорошо'],
      ['grossen', 'Die Größen stimmen'],
    ];
    const [owner, friend] = [randomUUID(), randomUUID()];
    const id = await newGroup(owner, friend);
    await sendAll(
      id,
      owner,
      texts.map(([, text]) => text),
    );
    const findAll = async () => {
      for (const [query, text] of texts) expect(await textsOf({ actorId: friend, query })).toEqual([text]);
    };
    await findAll();
    await indexed(id);
    await findAll();
  }, 60_000);

  it.each(['at once', 'once they are indexed'])(
    'when messages are searched %s, then all that match come, newest first',
    async (when) => {
      const [owner, friend] = [randomUUID(), randomUUID()];
      const ids = [await newGroup(owner, friend), await newGroup(owner, friend)];
      const [first, second] = [nth(ids, 0), nth(ids, 1)];
      await sendAll(first, owner, ['Größen und Farben', 'something else']);
      await sendAll(second, friend, ['我在北京工作', 'grossen 🎉', 'the last word']);
      if (when !== 'at once') await Promise.all(ids.map(indexed));
      expect(await textsOf({ actorId: owner, query: 'grossen' })).toEqual(['grossen 🎉', 'Größen und Farben']);
      expect(await textsOf({ actorId: friend, query: '北京' }, 1)).toEqual(['我在北京工作']);
      expect(await textsOf({ actorId: owner, query: '"last word"' })).toEqual(['the last word']);
      expect(await textsOf({ actorId: owner, query: 'some far' })).toEqual([]);
      expect(await textsOf({ actorId: owner, query: 'gr', conversationId: first })).toEqual(['Größen und Farben']);
      expect(await textsOf({ actorId: owner, query: 'gr', senderId: friend })).toEqual(['grossen 🎉']);
      expect(await textsOf({ actorId: owner, query: 'gr', type: 'image' })).toEqual([]);
      expect(await textsOf({ actorId: randomUUID(), query: 'gr' })).toEqual([]);
      const { items } = await search({ actorId: owner, query: 'gross', conversationId: first });
      expect(items[0]?.highlights).toEqual([{ start: 0, end: 4 }]);
    },
    30_000,
  );

  it.each([false, true])(
    'when a message is edited and deleted (indexed: %s), then searches say so at once',
    async (isIndexed) => {
      const [owner, friend] = [randomUUID(), randomUUID()];
      const id = await newGroup(owner, friend);
      const [seq = 0] = await sendAll(id, owner, ['before noon']);
      if (isIndexed) await indexed(id);
      await chat.replicas[0].insist.EditMessage({ actorId: owner, conversationId: id, seq, text: 'after midnight' });
      for (const replica of [0, 1]) {
        expect(await textsOf({ actorId: friend, query: 'midnight' }, replica)).toEqual(['after midnight']);
        expect(await textsOf({ actorId: friend, query: 'noon' }, replica)).toEqual([]);
      }
      if (isIndexed) await indexed(id);
      expect(await textsOf({ actorId: friend, query: 'after' })).toEqual(['after midnight']);
      await chat.replicas[1].insist.DeleteMessage({ actorId: owner, conversationId: id, seq });
      for (const replica of [0, 1]) expect(await textsOf({ actorId: friend, query: 'after' }, replica)).toEqual([]);
    },
    30_000,
  );

  it('when a member is removed, then a search finds nothing of it any more, and the conversation is none of theirs', async () => {
    const [owner, friend] = [randomUUID(), randomUUID()];
    const id = await newGroup(owner, friend);
    await sendAll(id, owner, ['a secret']);
    expect(await textsOf({ actorId: friend, query: 'secret', conversationId: id })).toEqual(['a secret']);
    await chat.replicas[0].insist.RemoveMember({ actorId: owner, conversationId: id, userId: friend });
    expect(await textsOf({ actorId: friend, query: 'secret' }, 1)).toEqual([]);
    for (const conversationId of [id, randomUUID()]) {
      await expect(search({ actorId: friend, query: 'secret', conversationId })).rejects.toMatchObject({
        code: 'NOT_FOUND',
      });
    }
  });

  it('when pages are asked for one after the other, then each message comes once, newest first', async () => {
    const owner = randomUUID();
    const ids = [await newGroup(owner, randomUUID()), await newGroup(owner, randomUUID())];
    const texts = Array.from({ length: 12 }, (_, index) => `page ${index}`);
    for (const [index, text] of texts.entries()) await sendAll(nth(ids, index % 2), owner, [text]);
    await indexed(nth(ids, 0));
    const read: (string | undefined)[] = [];
    let cursor = '';
    for (let pages = 0; pages === 0 || cursor !== ''; pages += 1) {
      const page = await search({ actorId: owner, query: 'page', limit: 5, cursor });
      read.push(...page.items.map(({ message }) => message?.text));
      cursor = page.nextCursor;
    }
    expect(read).toEqual([...texts].reverse());
    await expect(search({ actorId: owner, query: 'page', cursor: 'no cursor' })).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
    });
  }, 30_000);
});

describe('given a process that died between an edit and its place in the index', () => {
  it('when its boot is recovered, then the message is found by its new text', async () => {
    const owner = randomUUID();
    const id = await newGroup(owner, randomUUID());
    const [seq = 0] = await sendAll(id, owner, ['as it was']);
    await indexed(id);
    const boot = randomUUID();
    const at = Date.now();
    const body = { type: 'message:edited', target: seq, text: 'renewed' } as const;
    await chat.collections.entries.insertOne(toDocument(newEntry(id, seq + 1, owner, body, { by: boot, at })));
    await chat.collections.boots.insertOne({ _id: storeUuid(boot), watermark: new Date(at), leaseUntil: new Date(1) });
    await eventually(async () => {
      const texts = await textsOf({ actorId: owner, query: 'renewed' });
      return texts.length === 1 ? true : undefined;
    });
    await indexed(id);
    expect(await textsOf({ actorId: owner, query: 'renewed' })).toEqual(['renewed']);
  }, 30_000);
});

describe('given questions that no person asks', () => {
  it.each(['', '?!', '"', ' '.repeat(500), '\u0000'])('when %j is asked, then the page is empty', async (query) => {
    expect(await search({ actorId: randomUUID(), query })).toEqual({ items: [], nextCursor: '' });
  });

  it.each([
    ['characters', { query: 'x'.repeat(4_000) }],
    ['words', { query: 'a '.repeat(100) }],
    ['type', { query: 'a', type: 'poem' }],
    ['time', { query: 'a', beforeMs: -1 }],
  ])('when its %s are not to be taken, then it is refused', async (_what, asked) => {
    await expect(search({ actorId: randomUUID(), ...asked })).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
  });
});

describe('given a conversation older than the index', () => {
  it('when nobody writes to it, then it is indexed all the same, and a chunk never holds a hole', async () => {
    const owner = randomUUID();
    const id = await newGroup(owner, randomUUID());
    const messages = Array.from({ length: 600 }, (_, index) => {
      const body = {
        type: 'message:new',
        kind: 'text',
        text: `old ${index}`,
        attachments: [],
        editedAt: null,
        deletedAt: null,
      } as const;
      return toDocument(newEntry(id, index + 2, owner, { ...body, attachments: [] }));
    });
    await chat.collections.entries.insertMany(messages);
    await indexed(id);
    const chunks = await chat.collections.searchChunks
      .find({ c: storeUuid(id) })
      .sort({ _id: 1 })
      .toArray();
    expect(chunks.map(({ upTo }) => upTo)).toEqual([256, 512, 601]);
    expect(await textsOf({ actorId: owner, query: '"old 17"' })).toEqual(['old 17']);
  }, 30_000);
});
