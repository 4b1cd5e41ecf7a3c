import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AppError } from '@bluewave/errors/app-error';
import { messageReported, userEvent } from '@bluewave/events/codec';
import { EventBus } from '@bluewave/events/event-bus';
import { subjects } from '@bluewave/events/subjects';
import { storeUuid } from '@bluewave/mongo/uuid';
import { type ChatUnderTest, eventually, startChatUnderTest } from './support/chat-under-test.ts';
import { testLog } from './support/environment.ts';
import { nth } from './support/nth.ts';
import type { Replica } from './support/replica.ts';

let chat: ChatUnderTest;
let replicas: [Replica, Replica];
beforeAll(async () => {
  chat = await startChatUnderTest();
  ({ replicas } = chat);
});
afterAll(() => chat.close());

const group = (...ids: [string, ...string[]]) => replicas[0].group(...ids);
const send = async (actorId: string, conversationId: string, text = 'x'): Promise<number> => {
  const { message, code } = await replicas[0].send({ actorId, conversationId, text });
  if (!message) throw new Error(`refused: ${code}`);
  return message.seq;
};
const openBus = () => new EventBus({ url: chat.config.natsUrl, name: 'chat-own', log: testLog });
const codeOf = async (call: Promise<unknown>): Promise<string> => {
  const thrown = await call.then(
    () => undefined,
    (error: unknown) => error,
  );
  return thrown instanceof AppError ? thrown.code : 'answered';
};

describe('given stars', () => {
  const star = (actorId: string, conversationId: string, seq: number, on = true, replica = 0) =>
    nth(replicas, replica).insist.StarMessage({ actorId, conversationId, seq, on });
  const starred = async (actorId: string, limit = 50) => {
    const found: string[] = [];
    for (let cursor = '', more = true; more; more = cursor !== '') {
      const page = await replicas[1].insist.ListStarred({ actorId, limit, cursor });
      found.push(...page.messages.map((one) => `${one.conversationId}:${one.seq}`));
      cursor = page.nextCursor;
    }
    return found;
  };

  it('when messages are starred, then they are the reader’s alone, last star first, while they may be opened', async () => {
    const [owner, friend] = [randomUUID(), randomUUID()];
    const [first, second] = [await group(owner, friend), await group(owner, friend)];
    const places: [string, number][] = [];
    for (const conversationId of [first, second, first])
      places.push([conversationId, await send(owner, conversationId)]);
    for (const [index, place] of places.entries()) await star(friend, ...place, true, index % 2);
    const ids = places.map((place) => place.join(':')).reverse();
    expect(await starred(friend)).toEqual(ids);
    expect(await starred(friend, 1)).toEqual(ids);
    expect(await starred(owner)).toEqual([]);
    const [place] = places as [[string, number]];
    expect((await star(friend, ...place)).changed).toBe(false);
    expect(await starred(friend)).toEqual(ids);
    const [conversationId, seq] = place;
    const shown = async (actorId: string) =>
      (await replicas[1].insist.GetMessage({ actorId, conversationId, seq })).starred;
    expect([await shown(friend), await shown(owner)]).toEqual([true, false]);
    await star(friend, ...place, false);
    expect(await starred(friend)).toEqual(ids.slice(0, 2));
    const [, [, other], last] = places as [[string, number], [string, number], [string, number]];
    await replicas[0].insist.DeleteMessage({ actorId: owner, conversationId: last[0], seq: last[1] });
    expect(await starred(friend)).toEqual([`${second}:${other}`]);
    expect(await codeOf(star(friend, ...last))).toBe('MESSAGE_DELETED');
    await replicas[0].insist.RemoveMember({ actorId: owner, conversationId: second, userId: friend });
    expect(await starred(friend)).toEqual([]);
  });

  it('when a star changes, then the user’s devices are told, and those that were away learn of it by sync', async () => {
    const [owner, friend] = [randomUUID(), randomUUID()];
    const conversationId = await group(owner, friend);
    const seq = await send(owner, conversationId);
    const bus = openBus();
    const heard: unknown[] = [];
    bus.subscribe(subjects.user(friend), ({ data }) => {
      const { messageStarred } = userEvent.decode(data);
      if (messageStarred) heard.push(messageStarred);
    });
    await (await bus.connection()).flush();
    const cursors = { [conversationId]: 0 };
    const sync = (token: string) => replicas[1].insist.Sync({ actorId: friend, cursors, token, limit: 10 });
    const { token, starred: first } = await sync('');
    expect(first).toEqual([]);
    for (const on of [true, true, false, true]) await star(friend, conversationId, seq, on);
    expect(await sync(token)).toMatchObject({ starred: [{ conversationId, seq, on: true }], starsReset: false });
    await eventually(async () => (heard.length >= 3 ? true : undefined));
    expect(heard).toEqual([true, false, true].map((on) => ({ conversationId, seq, on })));
    await bus.close();
  });

  it('when more changed than is told one by one, then the device is told to list them again', async () => {
    const [owner, friend] = [randomUUID(), randomUUID()];
    const conversationId = await group(owner, friend);
    const { token } = await replicas[0].insist.Sync({ actorId: friend, cursors: {}, token: '', limit: 1 });
    const u = storeUuid(friend);
    await chat.collections.stars.insertMany(
      Array.from({ length: 201 }, (_, s) => ({
        _id: { u, c: storeUuid(conversationId), s: s + 1 },
        ...{ u, on: true, at: new Date() },
      })),
    );
    const request = { actorId: friend, cursors: { [conversationId]: 1 }, token, limit: 1 };
    expect(await replicas[1].insist.Sync(request)).toMatchObject({ starred: [], starsReset: true });
  });
});

describe('given what is not read', () => {
  const unread = (actorId: string) => replicas[1].insist.GetUnread({ actorId });

  it('when messages come, are deleted and read, then the totals follow over all conversations', async () => {
    const [owner, friend] = [randomUUID(), randomUUID()];
    const [first, second] = [await group(owner, friend), await group(owner, friend)];
    expect(await unread(friend)).toEqual({ total: 0, mentions: 0, conversations: 0 });
    const seqs = [await send(owner, first), await send(owner, first), await send(owner, second)];
    await replicas[0].send({ actorId: owner, conversationId: second, text: 'you', mentionUserIds: [friend] });
    await replicas[0].send({ actorId: owner, conversationId: first, text: 'r', threadRootSeq: nth(seqs, 0) });
    await send(friend, first);
    expect(await unread(friend)).toEqual({ total: 5, mentions: 1, conversations: 2 });
    expect(await unread(owner)).toEqual({ total: 1, mentions: 0, conversations: 1 });
    await replicas[0].insist.DeleteMessage({ actorId: owner, conversationId: first, seq: nth(seqs, 1) });
    expect(await unread(friend)).toMatchObject({ total: 4 });
    await replicas[1].mark(friend, second, { readSeq: 99 });
    expect(await unread(friend)).toEqual({ total: 2, mentions: 0, conversations: 1 });
    const late = randomUUID();
    await replicas[0].insist.AddMembers({ actorId: owner, conversationId: first, userIds: [late] });
    expect(await unread(late)).toEqual({ total: 0, mentions: 0, conversations: 0 });
    await send(owner, first);
    expect(await unread(late)).toEqual({ total: 1, mentions: 0, conversations: 1 });
    await replicas[0].insist.RemoveMember({ actorId: owner, conversationId: first, userId: late });
    expect(await unread(late)).toEqual({ total: 0, mentions: 0, conversations: 0 });
  });
});

describe('given who has read a message', () => {
  it('when members move on, then the first times are told, to its sender and to moderators', async () => {
    const [owner, friend, other, late] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
    const conversationId = await group(owner, friend, other);
    const seq = await send(friend, conversationId);
    const info = async (actorId: string) => {
      const { receipts } = await replicas[0].insist.ListReceipts({
        ...{ actorId, conversationId, seq, limit: 10, cursor: '' },
      });
      return new Map(receipts.map((one) => [one.userId, one]));
    };
    await replicas[0].insist.AddMembers({ actorId: owner, conversationId, userIds: [late] });
    expect(await codeOf(info(other))).toBe('FORBIDDEN');
    expect(new Set((await info(friend)).keys())).toEqual(new Set([owner, other]));
    const before = Date.now();
    await replicas[0].mark(other, conversationId, { deliveredSeq: seq });
    expect((await info(friend)).get(other)).toMatchObject({ readAtMs: 0 });
    await replicas[0].mark(owner, conversationId, { readSeq: seq });
    const read = (await info(owner)).get(owner);
    expect(read?.readAtMs).toBeGreaterThanOrEqual(before);
    expect(read?.deliveredAtMs).toBe(read?.readAtMs);
    // Steps are written a moment later; from then on what comes next does not change what was.
    await eventually(async () => {
      const trails = await chat.collections.trails.find({}).toArray();
      return trails.some(({ read: steps = [] }) => steps.some(({ s }) => s === seq)) ? true : undefined;
    });
    const next = await send(friend, conversationId);
    await replicas[0].mark(owner, conversationId, { readSeq: next });
    await replicas[0].mark(owner, conversationId, { readSeq: seq });
    expect((await info(friend)).get(owner)).toEqual(read);
    expect((await info(friend)).get(other)?.deliveredAtMs).toBeGreaterThanOrEqual(before);
  });
});

describe('given a message that should not be there', () => {
  it('when it is reported, then it is kept once, the last words count, and operators are told once', async () => {
    const [owner, friend] = [randomUUID(), randomUUID()];
    const conversationId = await group(owner, friend);
    const seq = await send(owner, conversationId, 'secret words');
    const bus = openBus();
    const heard: { conversationId: string }[] = [];
    bus.subscribe(subjects.messageReported, ({ data }) => void heard.push(messageReported.decode(data)));
    await (await bus.connection()).flush();
    const report = { actorId: friend, conversationId, seq, reason: 'spam', note: 'first' };
    await replicas[0].insist.ReportMessage(report);
    await replicas[1].insist.ReportMessage({ ...report, reason: 'hate', note: 'second' });
    const kept = await chat.collections.reports.find({ '_id.s': seq }).toArray();
    expect(kept.filter((one) => one.note === 'second')).toEqual([expect.objectContaining({ reason: 'hate' })]);
    const ours = () => heard.filter((one) => one.conversationId === conversationId);
    await eventually(async () => (ours().length > 0 ? true : undefined));
    expect(ours()).toMatchObject([{ conversationId, seq, reporterId: friend, reason: 'spam' }]);
    await bus.close();
  });
});

describe('given a message to forward', () => {
  const forward = (actorId: string, source: [string, number], targetConversationId: string, key: string, replica = 0) =>
    nth(replicas, replica).insist.ForwardMessage({
      ...{ actorId, conversationId: source[0], seq: source[1], targetConversationId },
      ...{ idempotencyKey: key, repeatOnly: false },
    });

  it('when it is forwarded, then the chain is kept, counted, told to those who may open it, and a repeat is the same', async () => {
    const [owner, friend, stranger] = [randomUUID(), randomUUID(), randomUUID()];
    const [from, to, further] = [await group(owner, friend), await group(owner, stranger), await group(owner, friend)];
    const uploadId = randomUUID();
    const attachment = { uploadId, kind: 'image', fileName: 'a.png', contentType: 'image/png', size: 1 };
    const { message } = await replicas[0].send({
      ...{ actorId: friend, conversationId: from, text: 'news', attachments: [attachment] },
    });
    const source: [string, number] = [from, message?.seq ?? 0];
    const key = randomUUID();
    const first = await forward(owner, source, to, key);
    expect(first).toMatchObject({
      duplicate: false,
      message: {
        ...{ conversationId: to, senderId: owner, text: 'news', attachments: [{ uploadId }] },
        forwarded: { conversationId: from, seq: source[1], hops: 1 },
      },
    });
    const seq = first.message?.seq ?? 0;
    expect(await forward(owner, source, to, key, 1)).toMatchObject({ duplicate: true, message: { seq } });
    const again = await forward(owner, [to, seq], further, randomUUID());
    expect(again.message?.forwarded).toEqual({ conversationId: to, seq, hops: 2 });
    const seen = await replicas[1].insist.GetMessage({ actorId: stranger, conversationId: to, seq });
    expect(seen.forwarded).toEqual({ conversationId: '', seq: 0, hops: 1 });
    expect(await replicas[1].insist.CanOpenUpload({ actorId: stranger, uploadId })).toEqual({ allowed: true });
    const count = async () =>
      (await replicas[1].insist.GetMessage({ actorId: friend, conversationId: from, seq: source[1] })).forwardCount;
    await eventually(async () => ((await count()) === 1 ? true : undefined));
    await replicas[0].insist.DeleteMessage({ actorId: friend, conversationId: from, seq: source[1] });
    expect(await forward(owner, source, to, key)).toMatchObject({ duplicate: true, message: { seq } });
    expect(await codeOf(forward(owner, source, further, randomUUID()))).toBe('MESSAGE_DELETED');
    expect(await count()).toBe(1);
  });

  it('when the source or the target is not the actor’s, or a block stands between, then it is refused', async () => {
    const [owner, friend, stranger] = [randomUUID(), randomUUID(), randomUUID()];
    const [from, to] = [await group(owner, friend), await group(stranger)];
    const source: [string, number] = [from, await send(owner, from)];
    expect(await codeOf(forward(stranger, source, to, randomUUID()))).toBe('NOT_FOUND');
    expect(await codeOf(forward(owner, source, to, randomUUID()))).toBe('NOT_FOUND');
    expect(await codeOf(forward(owner, [from, 1], from, randomUUID()))).toBe('NOT_FOUND');
    const { conversation } = await replicas[0].insist.CreateConversation({
      ...{ actorId: owner, type: 'direct', userIds: [friend], name: '', description: '', idempotencyKey: '' },
    });
    const direct = conversation?.info?.id ?? '';
    await replicas[0].insist.PutBlock({ actorId: friend, userId: owner });
    expect(await codeOf(forward(owner, source, direct, randomUUID()))).toBe('FORBIDDEN');
    expect((await chat.log(direct)).length).toBe(1);
  });
});
