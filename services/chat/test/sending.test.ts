import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AppError } from '@bluewave/errors/app-error';
import { type ChatUnderTest, startChatUnderTest } from './support/chat-under-test.ts';
import { nth } from './support/nth.ts';
import type { Replica, Sent } from './support/replica.ts';

let chat: ChatUnderTest;
let replicas: [Replica, Replica];
beforeAll(async () => {
  chat = await startChatUnderTest();
  ({ replicas } = chat);
});
afterAll(() => chat.close());

const either = (index: number): Replica => nth(replicas, index % 2);
const codeOf = async (call: Promise<unknown>): Promise<string> => {
  const thrown = await call.then(
    () => undefined,
    (error: unknown) => error,
  );
  return thrown instanceof AppError ? thrown.code : 'answered';
};
const seqs = (log: { seq: number }[]) => log.map(({ seq }) => seq);
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

describe('given a group and two replicas', () => {
  it('when both write to the same conversations at once, then each log is whole and holds what was acknowledged', async () => {
    const [owner, friend] = [randomUUID(), randomUUID()];
    const groups = await Promise.all([0, 1, 2].map((index) => either(index).group(owner, friend)));
    const asked = Array.from({ length: 600 }, (_, index) => ({
      actorId: index % 2 ? owner : friend,
      conversationId: nth(groups, index % 3),
      clientMsgId: randomUUID(),
      text: `m${index}`,
    }));
    const sent = await Promise.all(asked.map((one, index) => either(index >> 2).send(one)));
    for (const group of groups) {
      const log = await chat.log(group);
      expect(seqs(log)).toEqual(upTo(201));
      const bySeq = new Map(log.map((entry) => [entry.seq, entry]));
      asked.forEach(({ conversationId, clientMsgId, text }, index) => {
        if (conversationId !== group) return;
        const answer: Sent = nth(sent, index);
        expect(answer).toMatchObject({ duplicate: false, message: { clientMsgId, text, conversationId } });
        expect(bySeq.get(answer.message?.seq ?? 0)).toMatchObject({ clientMsgId, body: { text } });
      });
    }
  });

  it('when one message is sent through both many times at once, then it is there once and all get the same', async () => {
    const owner = randomUUID();
    const conversationId = await replicas[0].group(owner, randomUUID());
    const one = { actorId: owner, conversationId, text: 'once', clientMsgId: randomUUID() };
    const sent = await Promise.all(Array.from({ length: 20 }, (_, index) => either(index).send(one)));
    const again = await Promise.all(replicas.map((replica) => replica.send(one)));
    expect(new Set([...sent, ...again].map(({ message }) => message?.seq))).toEqual(new Set([2]));
    expect(sent.filter(({ duplicate }) => !duplicate).length).toBe(1);
    expect(again.map(({ duplicate }) => duplicate)).toEqual([true, true]);
    expect(seqs(await chat.log(conversationId))).toEqual([1, 2]);
  });

  it('when an id is used for another message, then it is refused on both and the first one stays', async () => {
    const owner = randomUUID();
    const conversationId = await replicas[0].group(owner);
    const one = { actorId: owner, conversationId, text: 'first', clientMsgId: randomUUID() };
    await replicas[0].send(one);
    for (const replica of replicas) {
      expect(await replica.send({ ...one, text: 'second' })).toEqual({ code: 'IDEMPOTENCY_MISMATCH' });
      expect(await replica.send(one)).toMatchObject({ duplicate: true, message: { seq: 2, text: 'first' } });
    }
    expect(seqs(await chat.log(conversationId))).toEqual([1, 2]);
  });

  it('when what is sent is not valid, then it is refused alone and others in its batch are not held up', async () => {
    const owner = randomUUID();
    const conversationId = await replicas[0].group(owner);
    const send = (change: object) => replicas[0].send({ actorId: owner, conversationId, text: 'x', ...change });
    const sent = await Promise.all([
      send({ clientMsgId: 'not-an-id' }),
      send({}),
      send({ conversationId: 'not-an-id' }),
      send({ attachments: [{ uploadId: 'not-an-id' }] }),
      send({ text: '  ' }),
      send({}),
    ]);
    const outcome = sent.map(({ code, message }) => code ?? message?.seq);
    expect(outcome).toEqual(['VALIDATION_FAILED', 2, 'NOT_FOUND', 'NOT_FOUND', 'EMPTY_MESSAGE', 3]);
  });
});

describe('given two people', () => {
  const direct = (replica: Replica, actorId: string, userId: string, idempotencyKey = '') =>
    replica.call.CreateConversation({
      ...{ actorId, type: 'direct', userIds: [userId], name: '', description: '', idempotencyKey },
    });

  it('when both create their conversation through both replicas at once, then there is one, created once', async () => {
    for (let round = 0; round < 8; round += 1) {
      const [a, b] = [randomUUID(), randomUUID()];
      const created = await Promise.all(
        [0, 1, 2, 3].map((index) => direct(either(index), index < 2 ? a : b, index < 2 ? b : a)),
      );
      expect(new Set(created.map(({ conversation }) => conversation?.info?.id)).size).toBe(1);
      expect(created.filter(({ created: isNew }) => isNew).length).toBe(1);
      for (const { conversation } of created) {
        expect([...(conversation?.info?.directUserIds ?? [])].sort()).toEqual([a, b].sort());
        expect(conversation).toMatchObject({
          info: { type: 'direct', memberCount: 2, head: 1 },
          me: { role: 'member' },
        });
      }
    }
  });

  it('when a group is created twice under one key, then there is one; another body is a mismatch', async () => {
    const [owner, friend, idempotencyKey] = [randomUUID(), randomUUID(), 'key'];
    const create = (replica: Replica, name: string) =>
      replica.call.CreateConversation({
        ...{ actorId: owner, type: 'group', userIds: [friend], name, description: '', idempotencyKey },
      });
    const [first, second] = await Promise.all(replicas.map((replica) => create(replica, 'one')));
    expect(second?.conversation?.info?.id).toBe(first?.conversation?.info?.id);
    expect(first?.created).toBe(!second?.created);
    expect(await codeOf(create(replicas[1], 'two'))).toBe('IDEMPOTENCY_MISMATCH');
  });
});

describe('given a member who is removed while everybody writes', () => {
  it('then no entry of theirs follows the removal, and no acknowledged one is lost', async () => {
    const [owner, leaver] = [randomUUID(), randomUUID()];
    const conversationId = await replicas[0].group(owner, leaver);
    // Both replicas know the conversation and its members.
    for (const replica of replicas) await replica.send({ actorId: leaver, conversationId, text: 'warm' });
    const writing = upTo(120).map(async (index) => {
      await new Promise((resolve) => setTimeout(resolve, index));
      return either(index).send({ actorId: leaver, conversationId, text: `${index}` });
    });
    await new Promise((resolve) => setTimeout(resolve, 60));
    const { seq } = await replicas[0].insist.RemoveMember({ actorId: owner, conversationId, userId: leaver });
    const late = await Promise.all(
      replicas.map((replica) => replica.send({ actorId: leaver, conversationId, text: 'late' })),
    );
    const sent = await Promise.all(writing);
    const log = await chat.log(conversationId);
    expect(seqs(log)).toEqual(upTo(log.length));
    const last = Math.max(...log.filter(({ senderId }) => senderId === leaver).map((entry) => entry.seq));
    expect(last).toBeLessThan(seq);
    expect(late).toEqual([{ code: 'NOT_FOUND' }, { code: 'NOT_FOUND' }]);
    const acknowledged = sent.flatMap(({ message }) => (message ? [message.seq] : []));
    expect(acknowledged.length + 4).toBe(log.length);
    expect(sent.filter(({ code }) => code !== undefined && code !== 'NOT_FOUND')).toEqual([]);
  });

  it('then joining again lets them write again, through the replica that saw neither', async () => {
    const [owner, friend] = [randomUUID(), randomUUID()];
    const conversationId = await replicas[0].group(owner, friend);
    await replicas[1].send({ actorId: friend, conversationId, text: 'before' });
    await replicas[0].insist.RemoveMember({ actorId: owner, conversationId, userId: friend });
    expect(await replicas[1].send({ actorId: friend, conversationId, text: 'out' })).toEqual({ code: 'NOT_FOUND' });
    await replicas[0].insist.AddMembers({ actorId: owner, conversationId, userIds: [friend, owner] });
    expect(await replicas[1].send({ actorId: friend, conversationId, text: 'back' })).toMatchObject({
      message: { seq: 5 },
    });
    expect(
      await replicas[1].insist.ListMembers({ actorId: friend, conversationId, limit: 0, cursor: '' }),
    ).toMatchObject({
      members: expect.arrayContaining([expect.objectContaining({ userId: friend, role: 'member' })]),
    });
  });
});

describe('given a message', () => {
  it('when it is edited and deleted at once through both, then the deletion absorbs every edit', async () => {
    const owner = randomUUID();
    const conversationId = await replicas[0].group(owner);
    for (let round = 0; round < 5; round += 1) {
      const { message } = await replicas[0].send({ actorId: owner, conversationId, text: 'secret 0' });
      const address = { actorId: owner, conversationId, seq: message?.seq ?? 0 };
      const edits = upTo(6).map((index) => either(index).call.EditMessage({ ...address, text: `secret ${index}` }));
      const deletion = either(round).call.DeleteMessage(address);
      const outcomes = await Promise.all(edits.map(codeOf));
      await deletion;
      expect(outcomes.filter((code) => code !== 'answered' && code !== 'MESSAGE_DELETED')).toEqual([]);
      for (const replica of replicas) {
        const seen = await replica.insist.GetMessage(address);
        expect(seen).toMatchObject({ text: '', deletedAtMs: expect.any(Number) });
        expect(seen.deletedAtMs).toBeGreaterThan(0);
        expect(await codeOf(replica.call.EditMessage({ ...address, text: 'secret' }))).toBe('MESSAGE_DELETED');
        expect(await replica.call.DeleteMessage(address)).toEqual({ seq: 0 });
      }
      expect(JSON.stringify(await chat.log(conversationId))).not.toContain('secret');
    }
  });

  it('when it is edited through both in turn, then everybody sees the last one', async () => {
    const [owner, friend] = [randomUUID(), randomUUID()];
    const conversationId = await replicas[0].group(owner, friend);
    await replicas[0].send({ actorId: owner, conversationId, text: 'v0' });
    const address = { conversationId, seq: 2 };
    for (const version of upTo(6)) {
      const edited = await either(version).call.EditMessage({ ...address, actorId: owner, text: `v${version}` });
      expect(edited).toMatchObject({ text: `v${version}`, seq: 2 });
      expect(await either(version + 1).insist.GetMessage({ ...address, actorId: friend })).toMatchObject({
        text: `v${version}`,
      });
    }
    expect(await codeOf(replicas[0].call.EditMessage({ ...address, actorId: friend, text: 'mine' }))).toBe('FORBIDDEN');
    expect(await codeOf(replicas[0].call.DeleteMessage({ ...address, actorId: friend }))).toBe('FORBIDDEN');
  });
});
