import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Entry } from '@bluewave/protos/generated/bluewave/chat/v1/Entry';
import type { Message } from '@bluewave/protos/generated/bluewave/chat/v1/Message';
import { sync } from '../src/reading/sync.ts';
import { createMongoEntryStore } from '../src/storage/mongo-entry-store.ts';
import { createMongoReadStore } from '../src/storage/mongo-read-store.ts';
import { type ChatUnderTest, startChatUnderTest } from './support/chat-under-test.ts';
import { countingReads } from './support/counting-reads.ts';
import { testLog } from './support/environment.ts';
import { type LongHistory, messagesOf, writeLongHistory } from './support/long-history.ts';
import { nth } from './support/nth.ts';
import type { Replica } from './support/replica.ts';

let chat: ChatUnderTest;
let replica: Replica;
let long: LongHistory;
beforeAll(async () => {
  chat = await startChatUnderTest();
  [replica] = chat.replicas;
  long = await writeLongHistory(chat, 10_000);
}, 60_000);
afterAll(() => chat.close());

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
const shown = (messages: Message[]) =>
  messages.map(({ seq, text, deletedAtMs }) => ({ seq, text, isDeleted: deletedAtMs > 0 }));

/** What an entry of the long log tells, in one line. */
function told(entry: Entry): string {
  if (entry.membersAdded) return `created ${entry.membersAdded.created?.type}`;
  if (entry.messageDeleted) return `deleted ${entry.messageDeleted.seq}`;
  if (entry.messageEdited) return `edited ${entry.messageEdited.seq} to ${entry.messageEdited.text}`;
  return `message ${entry.messageNew?.seq}: ${entry.messageNew?.text}`;
}

/** The same of the log as it was written; texts are those of now. */
function expectedOf(length: number): string[] {
  const texts = new Map(messagesOf(length).map(({ seq, text }) => [seq, text]));
  return upTo(length).map((seq) => {
    if (seq === 1) return 'created group';
    if (seq % 100 === 0) return `deleted ${seq - 49}`;
    if (seq % 10 === 0) return `edited ${seq - 8} to ${texts.get(seq - 8)}`;
    return `message ${seq}: ${texts.get(seq)}`;
  });
}

describe('given a conversation of 10,000 entries', () => {
  it('when its entries are listed page by page, then all come, in order, and the head is told', async () => {
    const { conversationId, friend } = long;
    const read: Entry[] = [];
    for (let hasMore = true; hasMore;) {
      const after = read.at(-1)?.seq ?? 0;
      const page = await replica.insist.ListEntries({ actorId: friend, conversationId, after, limit: 200 });
      expect(page.head).toBe(long.length);
      read.push(...page.entries);
      ({ hasMore } = page);
    }
    expect(read.map(({ seq }) => seq)).toEqual(upTo(long.length));
    expect(read.map(told)).toEqual(expectedOf(long.length));
  });

  it('when it is synced from 0, then pages lead to the head, and a token leaves out what did not move', async () => {
    const { conversationId, owner } = long;
    const read: number[] = [];
    let token = '';
    for (let hasMore = true; hasMore;) {
      const cursors = { [conversationId]: read.at(-1) ?? 0 };
      const answer = await replica.insist.Sync({ actorId: owner, cursors, token, limit: 200 });
      const one = nth(answer.conversations, 0);
      expect(one.conversation).toMatchObject({ info: { id: conversationId, head: long.length } });
      read.push(...one.entries.map(({ seq }) => seq));
      hasMore = one.hasMore;
      ({ token } = answer);
    }
    expect(read).toEqual(upTo(long.length));
    const cursors = { [conversationId]: long.length, [randomUUID()]: 3 };
    const still = await replica.insist.Sync({ actorId: owner, cursors, token, limit: 200 });
    expect(still).toMatchObject({ conversations: [], removed: [Object.keys(cursors)[1]] });
  });

  it('when entries are read before what they change is written beside the log, then it is shown as they say', async () => {
    const [owner, friend] = [randomUUID(), randomUUID()];
    const conversationId = await replica.group(owner, friend);
    for (const text of ['to be edited', 'edited later', 'deleted']) await replica.say(owner, conversationId, text);
    await replica.insist.EditMessage({ actorId: owner, conversationId, seq: 3, text: 'the later edit' });
    await replica.insist.DeleteMessage({ actorId: owner, conversationId, seq: 4 });
    const edit = (target: number) => ({ type: 'message:edited' as const, target, text: `edited ${target}` });
    const bodies = [edit(2), edit(4), { type: 'conversation:updated' as const, changes: { name: 'renamed' } }];
    const store = createMongoEntryStore(chat.collections, testLog, Date.now);
    // As by a process that committed them and has not come to the rest.
    const at = { conversationId, senderId: owner, bodyHash: new Uint8Array(32), at: Date.now(), by: randomUUID() };
    const written = bodies.map((body, index) => ({ ...at, body, seq: 7 + index, clientMsgId: randomUUID() }));
    expect(await store.insert(written, true)).toEqual(['inserted', 'inserted', 'inserted']);

    const { entries } = await replica.insist.ListEntries({ actorId: friend, conversationId, after: 4, limit: 10 });
    const shown = entries.map(({ messageEdited: message, conversationUpdated: now }) => message?.text ?? now?.name);
    expect(shown).toEqual(['the later edit', undefined, 'edited 2', '', 'renamed']);
  });

  it('when a device that missed nothing comes back with its token, then one query finds what it was removed from', async () => {
    const [owner, friend] = [randomUUID(), randomUUID()];
    const [left, kept] = [await replica.group(owner, friend), await replica.group(owner, friend)];
    await replica.insist.RemoveMember({ actorId: owner, conversationId: left, userId: friend });
    const { store, asked } = countingReads(createMongoReadStore(chat.collections));
    const cursors = { [left]: 1, [kept]: 1 };
    // A token forgives 10 s between servers; this one is younger than everything that happened.
    const request = { userId: friend, cursors, token: `t1.${Date.now() + 11_000}`, limit: 200 };
    expect(await sync(store, request, Date.now())).toMatchObject({ conversations: [], removed: [left] });
    expect(asked).toEqual(['membershipsWithHeads']);
  });

  it('when its messages are paged backwards from the newest, then all come', async () => {
    const { conversationId, friend } = long;
    let read: Message[] = [];
    for (let hasBefore = true; hasBefore;) {
      const before = read[0]?.seq;
      const request = { actorId: friend, conversationId, limit: 200, ...(before === undefined ? {} : { before }) };
      const page = await replica.insist.ListMessages(request);
      expect(page.hasAfter).toBe(before !== undefined);
      read = [...page.messages, ...read];
      ({ hasBefore } = page);
    }
    expect(shown(read)).toEqual(messagesOf(long.length));
  });

  it('when its messages are paged forwards, then all come', async () => {
    const { conversationId, friend } = long;
    const read: Message[] = [];
    for (let hasAfter = true; hasAfter;) {
      const after = read.at(-1)?.seq ?? 0;
      const page = await replica.insist.ListMessages({ actorId: friend, conversationId, limit: 200, after });
      expect(page.hasBefore).toBe(after > 0);
      read.push(...page.messages);
      ({ hasAfter } = page);
    }
    expect(shown(read)).toEqual(messagesOf(long.length));
  });

  it('when a page around a seq is asked for, then it holds both sides', async () => {
    const { conversationId, friend } = long;
    const around = (seq: number, limit: number) =>
      replica.insist.ListMessages({ actorId: friend, conversationId, around: seq, limit });
    const middle = await around(5_000, 10);
    expect(middle.messages.map(({ seq }) => seq)).toEqual([4995, 4996, 4997, 4998, 4999, 5001, 5002, 5003, 5004, 5005]);
    expect(middle).toMatchObject({ hasBefore: true, hasAfter: true });
    expect((await around(2, 4)).messages.map(({ seq }) => seq)).toEqual([2, 3]);
    expect(await around(2, 4)).toMatchObject({ hasBefore: false, hasAfter: true });
    expect(await around(20_000, 4)).toMatchObject({ hasBefore: true, hasAfter: false });
  });

  it('when its view is read, then unread counts the messages of others that are there', async () => {
    const { conversationId, owner, friend } = long;
    const expected = (me: 'odd' | 'even', after: number) =>
      messagesOf(long.length).filter(
        ({ seq, isDeleted }) => seq > after && !isDeleted && seq % 2 === (me === 'odd' ? 0 : 1),
      ).length;
    const view = (actorId: string) => replica.insist.GetConversation({ actorId, conversationId });
    expect((await view(owner)).me).toMatchObject({ role: 'owner', readSeq: 0, unread: expected('odd', 1) });
    expect((await view(friend)).me).toMatchObject({ role: 'member', unread: expected('even', 1) });
    await replica.mark(friend, conversationId, { readSeq: 9_000 });
    expect((await view(friend)).me).toMatchObject({ readSeq: 9_000, unread: expected('even', 9_000) });
    expect((await view(friend)).lastMessage).toMatchObject({ seq: 9_999 });
  });
});

describe('given texts so long that they do not fit into one answer', () => {
  it('when they are synced, then each answer stays small and leads on to the head', async () => {
    const owner = randomUUID();
    const groups = await Promise.all(upTo(4).map(() => replica.group(owner)));
    const text = '€'.repeat(4_000);
    for (const conversationId of groups) {
      await Promise.all(upTo(150).map(() => replica.send({ actorId: owner, conversationId, text })));
    }
    const cursors: Record<string, number> = Object.fromEntries(groups.map((id) => [id, 0]));
    let answers = 0;
    for (let behind = true; behind; answers += 1) {
      const { conversations } = await replica.insist.Sync({ actorId: owner, cursors, token: '', limit: 200 });
      const entries = conversations.flatMap((one) => one.entries);
      expect(Buffer.byteLength(JSON.stringify(entries))).toBeLessThan(4 * 1024 * 1024);
      expect(entries.length).toBeGreaterThan(0);
      for (const { conversation, entries: page } of conversations) {
        const id = conversation?.info?.id ?? '';
        expect(page.map(({ seq }) => seq)).toEqual(upTo(page.length).map((index) => (cursors[id] ?? 0) + index));
        cursors[id] = (cursors[id] ?? 0) + page.length;
      }
      behind = conversations.some(({ hasMore }) => hasMore);
    }
    expect(Object.values(cursors)).toEqual([151, 151, 151, 151]);
    expect(answers).toBeGreaterThan(1);
  }, 30_000);
});

describe('given somebody with several conversations', () => {
  it('when they are listed, then the last active comes first, over pages, each once', async () => {
    const me = randomUUID();
    const groups: string[] = [];
    for (let index = 0; index < 7; index += 1) groups.push(await replica.group(me, randomUUID()));
    const moved = nth(groups, 2);
    await replica.send({ actorId: me, conversationId: moved, text: 'again' });
    const listed: string[] = [];
    for (let cursor: string | undefined = ''; cursor !== undefined;) {
      const page = await replica.insist.ListConversations({ actorId: me, limit: 3, cursor });
      listed.push(...page.conversations.map(({ info }) => info?.id ?? ''));
      cursor = page.nextCursor || undefined;
    }
    expect(listed).toEqual([moved, ...groups.filter((id) => id !== moved).reverse()]);
    const memberships = await replica.insist.ListMemberships({ actorId: me });
    const heads = new Map(memberships.conversations.map(({ conversationId, head }) => [conversationId, head]));
    expect(heads).toEqual(new Map(groups.map((id) => [id, id === moved ? 2 : 1])));
    expect(await replica.insist.ListConversations({ actorId: randomUUID(), limit: 3, cursor: '' })).toEqual({
      conversations: [],
      nextCursor: '',
    });
  });

  it('when members are listed, then they come by id over pages, each once', async () => {
    const [me, others] = [randomUUID(), upTo(11).map(() => randomUUID())];
    const conversationId = await replica.group(me, ...others);
    const listed: string[] = [];
    for (let cursor: string | undefined = ''; cursor !== undefined;) {
      const page = await replica.insist.ListMembers({ actorId: me, conversationId, limit: 5, cursor });
      listed.push(...page.members.map(({ userId }) => userId));
      cursor = page.nextCursor || undefined;
    }
    expect(listed).toEqual([me, ...others].sort());
  });
});

describe('given pointers', () => {
  it('when they are moved through both replicas, then they only move forward and stop at the head', async () => {
    const [me, friend] = [randomUUID(), randomUUID()];
    const [first, second] = chat.replicas;
    const conversationId = await first.group(me, friend);
    for (let index = 0; index < 4; index += 1) await first.send({ actorId: me, conversationId, text: `${index}` });
    const stored = async () => (await second.insist.GetConversation({ actorId: friend, conversationId })).me;
    expect(await first.mark(friend, conversationId, { deliveredSeq: 4 })).toEqual({ readSeq: 0, deliveredSeq: 4 });
    expect(await second.mark(friend, conversationId, { readSeq: 3 })).toEqual({ readSeq: 3, deliveredSeq: 4 });
    expect(await first.mark(friend, conversationId, { deliveredSeq: 2 })).toMatchObject({ deliveredSeq: 4 });
    expect(await stored()).toMatchObject({ readSeq: 3, deliveredSeq: 4, unread: 2 });
    expect(await second.mark(friend, conversationId, { readSeq: 9_000_000 })).toEqual({ readSeq: 5, deliveredSeq: 5 });
    await first.mark(friend, conversationId, { readSeq: 1 });
    expect(await stored()).toMatchObject({ readSeq: 5, deliveredSeq: 5, unread: 0 });
    const status = async () => (await first.insist.GetMessage({ actorId: me, conversationId, seq: 5 })).status;
    expect(await status()).toBe('read');
  });

  it('when many move at once, then the furthest position is what remains', async () => {
    const me = randomUUID();
    const conversationId = await replica.group(me);
    await Promise.all(upTo(50).map((index) => replica.send({ actorId: me, conversationId, text: `${index}` })));
    const moves = upTo(51).sort(() => Math.random() - 0.5);
    await Promise.all(moves.map((seq) => nth(chat.replicas, seq % 2).mark(me, conversationId, { readSeq: seq })));
    const view = await replica.insist.GetConversation({ actorId: me, conversationId });
    expect(view.me).toMatchObject({ readSeq: 51, deliveredSeq: 51, unread: 0 });
  });
});

describe('given what other services ask', () => {
  it('when recipients of a message are asked for, then they are the members of then that still are', async () => {
    const [me, stays, leaves, joins] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
    const conversationId = await replica.group(me, stays, leaves);
    await replica.send({ actorId: me, conversationId, text: 'to whom' });
    await replica.insist.RemoveMember({ actorId: leaves, conversationId, userId: leaves });
    await replica.insist.AddMembers({ actorId: me, conversationId, userIds: [joins] });
    await replica.mark(stays, conversationId, { readSeq: 1 });
    const recipients = () => replica.insist.GetRecipients({ conversationId, seq: 2 });
    expect(await recipients()).toEqual({
      recipients: [{ userId: stays, readSeq: 1, deliveredSeq: 1 }],
      ...{ conversationName: 'a group', conversationType: 'group', gone: false },
    });
    await replica.insist.DeleteMessage({ actorId: me, conversationId, seq: 2 });
    expect(await recipients()).toMatchObject({ recipients: [], gone: true });
    expect(await replica.insist.GetRecipients({ conversationId, seq: 77 })).toMatchObject({
      recipients: [],
      gone: true,
    });
  });

  it('when an upload is to be opened, then only members of a conversation that shows it may', async () => {
    const [me, friend, stranger, uploadId] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
    const conversationId = await replica.group(me, friend);
    const attachment = { uploadId, kind: 'image', fileName: 'a.png', contentType: 'image/png', size: 1 };
    const allowed = async (actorId: string) => (await replica.insist.CanOpenUpload({ actorId, uploadId })).allowed;
    expect(await allowed(me)).toBe(false);
    const { message } = await replica.send({ actorId: me, conversationId, text: '', attachments: [attachment] });
    expect(message?.attachments).toMatchObject([attachment]);
    expect(await Promise.all([me, friend, stranger].map(allowed))).toEqual([true, true, false]);
    await replica.insist.RemoveMember({ actorId: me, conversationId, userId: friend });
    expect(await allowed(friend)).toBe(false);
    await replica.insist.DeleteMessage({ actorId: me, conversationId, seq: 2 });
    expect(await allowed(me)).toBe(false);
  });

  it('when acquaintances are asked for, then they are those who share a conversation now', async () => {
    const [me, friend, left, stranger] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
    const conversationId = await replica.group(me, friend, left);
    await replica.group(stranger, randomUUID());
    await replica.insist.RemoveMember({ actorId: left, conversationId, userId: left });
    const userIds = [friend, left, stranger, randomUUID()];
    expect(await replica.insist.FilterAcquainted({ actorId: me, userIds })).toEqual({ userIds: [friend] });
    expect(await replica.insist.FilterAcquainted({ actorId: stranger, userIds })).toEqual({ userIds: [stranger] });
  });

  it('when heads are asked for, then unknown conversations are left out', async () => {
    const { conversationId, length } = long;
    const asked = await replica.insist.GetHeads({ conversationIds: [conversationId, randomUUID()] });
    expect(asked.heads.map(({ conversationId: id, head }) => ({ id, head }))).toEqual([
      { id: conversationId, head: length },
    ]);
  });
});
