import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AppError } from '@bluewave/errors/app-error';
import type { Message } from '@bluewave/protos/generated/bluewave/chat/v1/Message';
import { storeUuid } from '@bluewave/mongo/uuid';
import { type ChatUnderTest, startChatUnderTest } from './support/chat-under-test.ts';
import { nth } from './support/nth.ts';
import type { Replica } from './support/replica.ts';

let chat: ChatUnderTest;
let replicas: [Replica, Replica];
beforeAll(async () => {
  chat = await startChatUnderTest();
  ({ replicas } = chat);
});
afterAll(() => chat.close());

type Given = { owner: string; friend: string; conversationId: string };
/** A group of an owner and a friend. */
const given = async (): Promise<Given> => {
  const [owner, friend] = [randomUUID(), randomUUID()];
  return { owner, friend, conversationId: await replicas[0].group(owner, friend) };
};
type More = Partial<Parameters<Replica['send']>[0]>;
const send = async (actorId: string, conversationId: string, text: string, more: More = {}): Promise<Message> => {
  const { message, code } = await replicas[0].send({ actorId, conversationId, text, ...more });
  if (!message) throw new Error(`refused: ${code}`);
  return message;
};
const read = (actorId: string, conversationId: string, seq: number) =>
  nth(replicas, 1).insist.GetMessage({ actorId, conversationId, seq });
const refusal = async (call: Promise<unknown>): Promise<{ code: string; paths: string[] }> => {
  const thrown = await call.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(thrown instanceof AppError)) throw new Error(`not refused: ${String(thrown)}`);
  return { code: thrown.code, paths: (thrown.fields ?? []).map(({ path }) => path) };
};

describe('given people to call', () => {
  it('when members are mentioned, then the message says so and counts as a mention for them alone', async () => {
    const { owner, friend, conversationId } = await given();
    const other = randomUUID();
    await replicas[0].insist.AddMembers({ actorId: owner, conversationId, userIds: [other] });
    const message = await send(owner, conversationId, 'you', { mentionUserIds: [friend, friend] });
    expect(message).toMatchObject({ mentionUserIds: [friend], mentionsAll: false });
    expect(await read(friend, conversationId, message.seq)).toMatchObject({ mentionUserIds: [friend] });
    const unread = async (actorId: string) =>
      (await replicas[1].insist.GetConversation({ actorId, conversationId })).me ?? {};
    expect(await unread(friend)).toMatchObject({ unread: 1, unreadMentions: 1 });
    expect(await unread(other)).toMatchObject({ unread: 1, unreadMentions: 0 });
    await send(owner, conversationId, 'everybody', { mentionsAll: true });
    expect(await unread(other)).toMatchObject({ unread: 2, unreadMentions: 1 });
  });

  it('when strangers are mentioned, then it is refused and says which', async () => {
    const { owner, friend, conversationId } = await given();
    const mentionUserIds = [friend, randomUUID(), owner, randomUUID()];
    expect(await replicas[0].send({ actorId: owner, conversationId, text: 'x', mentionUserIds })).toEqual({
      code: 'VALIDATION_FAILED',
      fields: ['mentions.1', 'mentions.3'],
    });
  });

  it('when a plain member calls all, then it is refused in a group and taken in a direct conversation', async () => {
    const { owner, friend, conversationId } = await given();
    const all = { text: 'all', mentionsAll: true };
    expect(await replicas[0].send({ actorId: friend, conversationId, ...all })).toEqual({ code: 'FORBIDDEN' });
    const { conversation } = await replicas[0].insist.CreateConversation({
      ...{ actorId: owner, type: 'direct', userIds: [friend], name: '', description: '', idempotencyKey: '' },
    });
    const direct = conversation?.info?.id ?? '';
    expect(await send(friend, direct, 'both', { mentionsAll: true })).toMatchObject({ mentionsAll: true });
  });

  it('when a message is edited, then it calls whom it called unless it says otherwise', async () => {
    const { owner, friend, conversationId } = await given();
    const { seq } = await send(owner, conversationId, 'you', { mentionUserIds: [friend] });
    const edit = (actorId: string, rest: object) =>
      replicas[1].insist.EditMessage({ actorId, conversationId, seq, text: 'new', ...rest });
    expect(await edit(owner, {})).toMatchObject({ text: 'new', mentionUserIds: [friend] });
    const stranger = { mentions: { userIds: [owner, randomUUID()], all: false } };
    expect(await refusal(edit(owner, stranger))).toEqual({ code: 'VALIDATION_FAILED', paths: ['mentions.1'] });
    const me = async () => (await replicas[0].insist.GetConversation({ actorId: friend, conversationId })).me;
    expect(await me()).toMatchObject({ unreadMentions: 1 });
    expect(await edit(owner, { mentions: { userIds: [], all: false } })).toMatchObject({ mentionUserIds: [] });
    expect(await me()).toMatchObject({ unread: 1, unreadMentions: 0 });
    expect(await edit(owner, { mentions: { userIds: [], all: true } })).toMatchObject({ mentionsAll: true });
    const own = await send(friend, conversationId, 'mine');
    const calls = { actorId: friend, conversationId, seq: own.seq, text: 'x', mentions: { userIds: [], all: true } };
    expect((await refusal(replicas[0].insist.EditMessage(calls))).code).toBe('FORBIDDEN');
  });
});

describe('given a message that is answered', () => {
  it('when it is edited and deleted, then the preview follows it', async () => {
    const { owner, friend, conversationId } = await given();
    const target = await send(owner, conversationId, 'x'.repeat(500));
    const answer = await send(friend, conversationId, 'yes', { replyToSeq: target.seq });
    const reply = async () => (await read(owner, conversationId, answer.seq)).replyTo;
    expect(answer.replyTo).toMatchObject({ seq: target.seq, senderId: owner, deleted: false });
    expect(answer.replyTo?.preview.length).toBe(140);
    await replicas[0].insist.EditMessage({ actorId: owner, conversationId, seq: target.seq, text: 'short' });
    expect(await reply()).toMatchObject({ preview: 'short', deleted: false });
    await replicas[0].insist.DeleteMessage({ actorId: owner, conversationId, seq: target.seq });
    expect(await reply()).toMatchObject({ seq: target.seq, senderId: owner, preview: '', deleted: true });
  });

  it('when the send is repeated after its target was deleted, then it is answered with the original', async () => {
    const { owner, friend, conversationId } = await given();
    const target = await send(owner, conversationId, 'question');
    const clientMsgId = randomUUID();
    const relations = { clientMsgId, replyToSeq: target.seq, threadRootSeq: target.seq };
    const first = await send(friend, conversationId, 'answer', relations);
    await replicas[0].insist.DeleteMessage({ actorId: owner, conversationId, seq: target.seq });
    for (const replica of replicas) {
      expect(await replica.send({ actorId: friend, conversationId, text: 'answer', ...relations })).toMatchObject({
        duplicate: true,
        message: { seq: first.seq, replyTo: { seq: target.seq, deleted: true } },
      });
    }
  });

  it('when what is answered is no message or not to be read, then it is not there', async () => {
    const { owner, friend, conversationId } = await given();
    for (const replyToSeq of [1, 99]) {
      const sent = await replicas[0].send({ actorId: friend, conversationId, text: 'x', replyToSeq });
      expect(sent).toEqual({ code: 'NOT_FOUND' });
    }
    expect((await chat.log(conversationId)).length).toBe(1);
    expect(await send(owner, conversationId, 'plain')).toMatchObject({ replyTo: null, thread: null });
  });
});

describe('given a thread', () => {
  it('when replies come and are deleted, then the root counts those that are there, and all are listed', async () => {
    const { owner, friend, conversationId } = await given();
    const root = await send(owner, conversationId, 'root');
    const replies: Message[] = [];
    for (let index = 0; index < 5; index += 1) {
      const threadRootSeq = root.seq;
      replies.push(await send(index % 2 ? owner : friend, conversationId, `r${index}`, { threadRootSeq }));
      await send(friend, conversationId, 'between');
    }
    const thread = async () => (await read(owner, conversationId, root.seq)).thread;
    // A send is acknowledged before the root knows of it.
    await expectSoon(thread, { replies: 5, lastSeq: nth(replies, 4).seq });
    await replicas[0].insist.DeleteMessage({ actorId: friend, conversationId, seq: nth(replies, 4).seq });
    expect(await thread()).toEqual({ replies: 4, lastSeq: nth(replies, 3).seq });
    const list = (limit: number, cursor = '') =>
      replicas[1].insist.ListThread({ actorId: friend, conversationId, seq: root.seq, limit, cursor });
    const first = await list(3);
    const rest = await list(3, first.nextCursor);
    const seqs = [...first.messages, ...rest.messages].map(({ seq }) => seq);
    expect(seqs).toEqual(replies.map(({ seq }) => seq));
    expect(nth(rest.messages, -1)).toMatchObject({ text: '', threadRootSeq: root.seq });
    expect(rest.nextCursor).toBe('');
  });

  it('when somebody replies to a reply, to a deleted root or without being a member, then it is refused', async () => {
    const { owner, friend, conversationId } = await given();
    const root = await send(owner, conversationId, 'root');
    const reply = await send(friend, conversationId, 'reply', { threadRootSeq: root.seq });
    const nested = { actorId: owner, conversationId, text: 'x', threadRootSeq: reply.seq };
    expect(await replicas[0].send(nested)).toEqual({ code: 'VALIDATION_FAILED', fields: ['threadRootId'] });
    await replicas[0].insist.DeleteMessage({ actorId: owner, conversationId, seq: root.seq });
    const late = { actorId: owner, conversationId, text: 'x', threadRootSeq: root.seq };
    expect(await replicas[0].send(late)).toEqual({ code: 'MESSAGE_DELETED' });
    const list = { actorId: randomUUID(), conversationId, seq: root.seq, limit: 10, cursor: '' };
    expect((await refusal(replicas[0].insist.ListThread(list))).code).toBe('NOT_FOUND');
  });
});

describe('given text that means something to a database', () => {
  const texts = ['$', '$$ROOT', '$text', '$$REMOVE', '{"$gt": ""}', '$literal', 'a.b', '$body.original'];

  it.each(texts)('when a message is edited to %j, then that is its text', async (text) => {
    const { owner, conversationId } = await given();
    const { seq } = await send(owner, conversationId, 'first');
    const edited = await replicas[0].insist.EditMessage({ actorId: owner, conversationId, seq, text });
    expect(edited).toMatchObject({ text, seq });
    const _id = { c: storeUuid(conversationId), s: seq };
    const stored = await chat.collections.entries.findOne({ _id });
    expect(stored?.body).toMatchObject({ text, original: 'first', edits: [seq + 1] });
  });

  it('when a message is edited again and again, then its history holds every text, and nothing once it is deleted', async () => {
    const { owner, friend, conversationId } = await given();
    const { seq, createdAtMs } = await send(owner, conversationId, 'first');
    const address = { actorId: friend, conversationId, seq };
    expect(await replicas[1].insist.ListTexts(address)).toEqual({ texts: [{ text: 'first', atMs: createdAtMs }] });
    for (const text of texts) await replicas[0].insist.EditMessage({ actorId: owner, conversationId, seq, text });
    const history = (await replicas[1].insist.ListTexts(address)).texts;
    expect(history.map(({ text }) => text)).toEqual(['first', ...texts]);
    const times = history.map(({ atMs }) => atMs);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    await replicas[1].insist.DeleteMessage({ actorId: owner, conversationId, seq });
    expect(await replicas[1].insist.ListTexts(address)).toEqual({ texts: [] });
    const stored = JSON.stringify(await chat.log(conversationId));
    for (const text of ['first', '$$ROOT']) expect(stored).not.toContain(text);
  });
});

/** Waits for what follows an acknowledged send a moment later. */
async function expectSoon<T>(look: () => Promise<T>, expected: T): Promise<void> {
  for (let left = 200; left > 0; left -= 1) {
    if (JSON.stringify(await look()) === JSON.stringify(expected)) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  expect(await look()).toEqual(expected);
}
