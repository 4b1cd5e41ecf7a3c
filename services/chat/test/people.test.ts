import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AppError } from '@bluewave/errors/app-error';
import { startChat } from '../src/server.ts';
import { createMongoPeopleStore } from '../src/storage/mongo-people-store.ts';
import { type ChatUnderTest, eventually, startChatUnderTest } from './support/chat-under-test.ts';
import { environmentOf, testLog } from './support/environment.ts';
import { Replica } from './support/replica.ts';
import { TcpProxy } from '@bluewave/dev-env/net/tcp-proxy';

let chat: ChatUnderTest;
beforeAll(async () => void (chat = await startChatUnderTest()));
afterAll(() => chat.close());

const page = { limit: 10, cursor: '' };
const codeOf = async (attempt: Promise<unknown>): Promise<string> => {
  try {
    await attempt;
    return 'done';
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
};
/** As callers do: what may be repeated is. */
async function persist<T>(attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof AppError) || !error.retryable) throw error;
    }
  }
}
const open = (replica: Replica, actorId: string, userId: string) =>
  replica.call.CreateConversation({
    ...{ actorId, userIds: [userId], type: 'direct', name: '', description: '', idempotencyKey: randomUUID() },
  });

/** Two people with a direct conversation, which is warm on both replicas. */
async function pair(): Promise<{ a: string; b: string; id: string }> {
  const [a, b] = [randomUUID(), randomUUID()];
  const { conversation } = await open(chat.replicas[0], a, b);
  const id = conversation?.info?.id ?? '';
  for (const replica of chat.replicas) {
    for (const actorId of [a, b]) await replica.send({ actorId, conversationId: id, text: 'warm' });
  }
  return { a, b, id };
}

describe('given contacts', () => {
  it('when they are put, changed, listed in pages and removed, then the list says so, each once', async () => {
    const [{ call }, other] = chat.replicas;
    const actorId = randomUUID();
    const ids = Array.from({ length: 5 }, () => randomUUID()).sort();
    for (const userId of ids) await call.PutContact({ actorId, userId, alias: '' });
    await other.insist.PutContact({ actorId, userId: ids[2] ?? '', alias: 'Bo' });
    const first = await call.ListContacts({ actorId, limit: 3, cursor: '' });
    const second = await other.insist.ListContacts({ actorId, limit: 3, cursor: first.nextCursor });
    expect([...first.contacts, ...second.contacts].map(({ userId }) => userId)).toEqual(ids);
    expect(first.contacts.map(({ alias }) => alias)).toEqual(['', '', 'Bo']);
    expect(first.contacts[0]?.createdAtMs).toBeGreaterThan(Date.now() - 60_000);
    expect(second.nextCursor).toBe('');

    await call.PutContact({ actorId, userId: ids[2] ?? '', alias: '' });
    for (let time = 0; time < 2; time += 1) await call.RemoveContact({ actorId, userId: ids[0] ?? '' });
    const left = await other.insist.ListContacts({ actorId, ...page });
    expect(left.contacts.map(({ userId, alias }) => [userId, alias])).toEqual(ids.slice(1).map((id) => [id, '']));
    expect(await call.ListContacts({ actorId: ids[1] ?? '', ...page })).toEqual({ contacts: [], nextCursor: '' });
  });

  it('when 50 put and remove the same at once, then it is there once or not at all', async () => {
    const [actorId, userId] = [randomUUID(), randomUUID()];
    const tasks = Array.from({ length: 50 }, (_, index) => {
      const { call } = chat.replicas[index % 2 ? 0 : 1];
      const person = { actorId, userId };
      return persist(() => (index % 5 === 4 ? call.RemoveContact(person) : call.PutContact({ ...person, alias: 'x' })));
    });
    await Promise.all(tasks);
    const { contacts } = await chat.replicas[0].insist.ListContacts({ actorId, ...page });
    expect(contacts.length).toBeLessThanOrEqual(1);
    await chat.replicas[0].insist.PutContact({ actorId, userId, alias: 'y' });
    const after = await chat.replicas[1].insist.ListContacts({ actorId, ...page });
    expect(after.contacts).toMatchObject([{ userId, alias: 'y' }]);
  });

  it('when there are as many as may be, then another is refused and those there can still be changed', async () => {
    const store = createMongoPeopleStore(chat.collections.people);
    const [user, one, two, three] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
    const put = (other: string) => store.putContact(user, other, '', 1, 2);
    expect([await put(one), await put(two), await put(three), await put(one)]).toEqual([true, true, false, true]);
    const block = (blocked: string) => store.putBlock({ blocker: user, blocked }, 1, 2);
    expect([await block(one), await block(two), await block(three), await block(one)]).toEqual([
      true,
      true,
      false,
      true,
    ]);
  });

  it('when it is oneself or no id, then it is refused', async () => {
    const { call } = chat.replicas[0];
    const actorId = randomUUID();
    expect(await codeOf(call.PutContact({ actorId, userId: actorId, alias: '' }))).toBe('VALIDATION_FAILED');
    expect(await codeOf(call.PutBlock({ actorId, userId: actorId }))).toBe('VALIDATION_FAILED');
    for (const userId of ['', 'me', '{"$gt":""}']) {
      expect(await codeOf(call.PutContact({ actorId, userId, alias: '' }))).toBe('NOT_FOUND');
      expect(await codeOf(call.PutBlock({ actorId, userId }))).toBe('NOT_FOUND');
    }
  });
});

describe('given somebody who blocked another', () => {
  it('when the blocked one writes, then it is refused wherever it is sent, and the blocker may write', async () => {
    const { a, b, id } = await pair();
    const [first, second] = chat.replicas;
    const mine = await first.send({ actorId: a, conversationId: id, text: 'before' });
    const seq = mine.message?.seq ?? 0;

    await first.insist.PutBlock({ actorId: b, userId: a });

    expect(await first.send({ actorId: a, conversationId: id, text: 'after' })).toEqual({ code: 'FORBIDDEN' });
    // The other replica hears of it over the bus.
    await eventually(async () => {
      const { code } = await second.send({ actorId: a, conversationId: id, text: 'elsewhere' });
      return code === 'FORBIDDEN' ? true : undefined;
    }, 6_000);
    expect(await codeOf(first.call.EditMessage({ actorId: a, conversationId: id, seq, text: 'new' }))).toBe(
      'FORBIDDEN',
    );
    expect((await second.send({ actorId: b, conversationId: id, text: 'still' })).message).toBeDefined();
    expect(await first.call.DeleteMessage({ actorId: a, conversationId: id, seq })).toMatchObject({
      seq: expect.any(Number),
    });

    await first.insist.RemoveBlock({ actorId: b, userId: a });
    expect((await first.send({ actorId: a, conversationId: id, text: 'again' })).message).toBeDefined();
  });

  it('when what was sent before is repeated, then the original is answered', async () => {
    const { a, b, id } = await pair();
    const [replica] = chat.replicas;
    const send = { actorId: a, conversationId: id, text: 'once', clientMsgId: randomUUID() };
    const { message } = await replica.send(send);
    await replica.insist.PutBlock({ actorId: b, userId: a });
    expect(await replica.send(send)).toEqual({ message, duplicate: true });
  });

  it('when the blocked one opens the conversation or makes one with them, then it is refused, and others may', async () => {
    const { a, b, id } = await pair();
    const [first, second] = chat.replicas;
    const [stranger, friend] = [randomUUID(), randomUUID()];
    await first.insist.PutBlock({ actorId: b, userId: a });
    await first.insist.PutBlock({ actorId: b, userId: stranger });
    const group = (actorId: string, ...userIds: string[]) =>
      second.call.CreateConversation({
        ...{ actorId, userIds, type: 'group', name: 'g', description: '', idempotencyKey: '' },
      });

    expect(await codeOf(open(second, a, b))).toBe('FORBIDDEN');
    expect(await codeOf(open(second, stranger, b))).toBe('FORBIDDEN');
    expect(await codeOf(group(a, friend, b))).toBe('FORBIDDEN');
    expect((await open(second, b, a)).conversation?.info?.id).toBe(id);
    expect((await group(friend, a, b)).created).toBe(true);

    const own = (await group(a, friend)).conversation?.info?.id ?? '';
    const add = (userId: string) => second.call.AddMembers({ actorId: a, conversationId: own, userIds: [userId] });
    expect(await codeOf(add(b))).toBe('FORBIDDEN');
    expect(await codeOf(add(stranger))).toBe('done');
  });

  it('when the other is a member of a group already, then adding them again is no tell', async () => {
    const [first, second] = chat.replicas;
    const [a, b] = [randomUUID(), randomUUID()];
    const conversationId = await first.group(a, b);
    await first.insist.PutBlock({ actorId: b, userId: a });
    expect(await codeOf(second.call.AddMembers({ actorId: a, conversationId, userIds: [b] }))).toBe('done');
    expect((await first.send({ actorId: a, conversationId, text: 'to the group' })).message).toBeDefined();
  });

  it('when presence is asked for, then the blocked one is no acquaintance, and the other way round they are', async () => {
    const { a, b } = await pair();
    const [first, second] = chat.replicas;
    await first.insist.PutBlock({ actorId: b, userId: a });
    expect(await second.insist.FilterAcquainted({ actorId: a, userIds: [b] })).toEqual({ userIds: [] });
    expect(await second.insist.FilterAcquainted({ actorId: b, userIds: [a] })).toEqual({ userIds: [a] });
    expect(await second.insist.FindBlockers({ actorId: a, userIds: [b, randomUUID()] })).toEqual({ userIds: [b] });
    expect(await second.insist.ListMemberships({ actorId: b })).toMatchObject({ blockedUserIds: [a] });
    expect(await second.insist.ListMemberships({ actorId: a })).toMatchObject({ blockedUserIds: [] });
    const { blocks } = await second.insist.ListBlocks({ actorId: b, ...page });
    expect(blocks).toEqual([{ userId: a, createdAtMs: expect.any(Number) }]);
  });
});

describe('given a block while the other is writing', () => {
  it('when it is acknowledged, then no later entry of theirs is, whatever was on its way', async () => {
    const [replica] = chat.replicas;
    for (let round = 0; round < 5; round += 1) {
      const { a, b, id } = await pair();
      let isWriting = true;
      const acked: number[] = [];
      const codes = new Set<string>();
      const write = async (): Promise<void> => {
        while (isWriting) {
          const { message, code } = await replica.send({ actorId: a, conversationId: id, text: 'x' });
          if (message) acked.push(message.seq);
          else codes.add(code ?? '');
        }
      };
      const writers = Array.from({ length: 8 }, write);
      await eventually(async () => (acked.length > 20 ? true : undefined));
      await replica.insist.PutBlock({ actorId: b, userId: a });
      const last = (await chat.log(id)).length;
      await eventually(async () => (codes.has('FORBIDDEN') ? true : undefined));
      isWriting = false;
      await Promise.all(writers);
      expect([...codes]).toEqual(['FORBIDDEN']);
      expect(acked.filter((seq) => seq > last)).toEqual([]);
      expect(await chat.log(id)).toHaveLength(last);
    }
  }, 60_000);

  it('when it comes and goes 50 times at once, then both replicas do what the record says in the end', async () => {
    const { a, b, id } = await pair();
    const change = (replica: Replica, on: boolean) =>
      persist(() => replica.call[on ? 'PutBlock' : 'RemoveBlock']({ actorId: b, userId: a }));
    const sends = Array.from({ length: 50 }, (_, index) => {
      const replica = chat.replicas[index % 2 ? 0 : 1];
      return Promise.all([
        change(replica, index % 3 === 0),
        replica.send({ actorId: a, conversationId: id, text: 'x' }),
      ]);
    });
    await Promise.all(sends);
    const { blocks } = await chat.replicas[0].insist.ListBlocks({ actorId: b, ...page });
    const expected = blocks.length === 1 ? 'FORBIDDEN' : undefined;
    for (const replica of chat.replicas) {
      const last = await eventually(async () => {
        const sent = await replica.send({ actorId: a, conversationId: id, text: 'x' });
        return sent.code === expected ? sent : undefined;
      });
      expect(last.message === undefined).toBe(blocks.length === 1);
    }
  }, 30_000);
});

describe('given a replica that does not hear the bus', () => {
  it('when somebody is blocked at another, then it acknowledges nothing of theirs that was sent 5 s later', async () => {
    const nats = await TcpProxy.start(environmentOf('TEST_NATS_URL'));
    const config = { ...chat.config, natsUrl: nats.url };
    const lonely = await startChat(config, testLog);
    const deaf = new Replica(lonely.grpcPort);
    const { a, b, id } = await pair();
    const send = () => deaf.send({ actorId: a, conversationId: id, text: 'x' });
    expect((await send()).message).toBeDefined();
    nats.silence();

    await chat.replicas[0].insist.PutBlock({ actorId: b, userId: a });
    const blockedAt = Date.now();
    const acked: number[] = [];
    await eventually(async () => {
      const sentAt = Date.now();
      const { message, code } = await send();
      if (message) acked.push(sentAt - blockedAt);
      return code === 'FORBIDDEN' ? true : undefined;
    }, 20_000);
    expect(acked.filter((ms) => ms >= 5_000)).toEqual([]);
    expect(await send()).toEqual({ code: 'FORBIDDEN' });
    nats.open();
    deaf.close();
    await lonely.close();
    await nats.close();
  }, 40_000);
});
