import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { World } from './world.ts';

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);

describe('live delivery', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start();
  }, 30_000);
  afterAll(() => world.close(), 30_000);

  it('given members on two gateways, when one sends, then every socket gets the entry once, the sender’s too', async () => {
    const [ada, bob] = await world.people('ada', 'bob');
    const { id } = await world.direct(ada, bob);
    const [ada1, ada2, bob1, bob2] = await Promise.all([
      world.connect(ada, 0),
      world.connect(ada, 1),
      world.connect(bob, 0, { polling: true }),
      world.connect(bob, 1),
    ]);
    const clientMsgId = randomUUID();

    const { message } = await ada1.ok('message:send', { conversationId: id, clientMsgId, text: 'hello' });

    for (const client of [ada1, ada2, bob1, bob2]) await client.hear('message:new');
    for (const client of [ada1, ada2, bob1, bob2]) {
      expect(client.entries(id)).toEqual([
        { type: 'message:new', conversationId: id, seq: 2, actor: ada.userId, at: expect.any(String), message },
      ]);
    }
    expect(message).toMatchObject({
      id: `${id}:2`,
      seq: 2,
      clientMsgId,
      text: 'hello',
      sender: { id: ada.userId, displayName: 'ada' },
    });
  });

  it('given 300 sends from both sides at once, when they are delivered, then every socket has the same order', async () => {
    const [ada, bob] = await world.people('ada', 'bob');
    const { id } = await world.direct(ada, bob);
    const [ada1, bob1, bob2] = await Promise.all([world.connect(ada, 0), world.connect(bob, 1), world.connect(bob, 0)]);
    const clients = [ada1, bob1, bob2];

    await Promise.all(range(1, 300).map((n) => (n % 2 === 0 ? ada1 : bob1).say(id, `message ${n}`)));

    for (const client of clients) await client.until('all of them', () => client.seqs(id).length >= 300);
    for (const client of clients) expect(client.seqs(id)).toEqual(range(2, 301));
    const texts = clients.map((client) => client.entries(id).map((entry) => 'message' in entry && entry.message.text));
    expect(texts[1]).toEqual(texts[0]);
    expect(texts[2]).toEqual(texts[0]);
  });

  it('given a connected user, when a conversation is made with them, then they hear of it before its entries', async () => {
    const [ada, bob] = await world.people('ada', 'bob');
    const bob1 = await world.connect(bob, 1);

    const group = await world.group(ada, bob);
    await world.send(ada, group.id, 'one');
    await world.send(ada, group.id, 'two');

    await bob1.until('both messages', (client) => client.of('message:new').length === 2);
    expect(bob1.story.map(({ event }) => event)).toEqual([
      'conversation:added',
      'member:added',
      'message:new',
      'message:new',
    ]);
    expect(bob1.of('conversation:added')).toEqual([
      { conversation: expect.objectContaining({ id: group.id, type: 'group', name: 'Group' }) },
    ]);
    expect(bob1.seqs(group.id)).toEqual([1, 2, 3]);
  });

  it('given a running conversation, when somebody is added, then they hear every entry from that one on', async () => {
    const [ada, bob, eve] = await world.people('ada', 'bob', 'eve');
    const group = await world.group(ada, bob);
    const [ada1, eve1, eve2] = await Promise.all([world.connect(ada, 0), world.connect(eve, 0), world.connect(eve, 1)]);
    const chatter = (async () => {
      for (let n = 0; n < 40; n += 1) await ada1.say(group.id, `chatter ${n}`);
    })();

    await world.ok('POST', `/conversations/${group.id}/members`, ada.accessToken, { userIds: [eve.userId] });
    await chatter;

    await ada1.until('all', () => ada1.entries(group.id).length === 41);
    const addedAt = ada1.entries(group.id).find(({ type }) => type === 'member:added')!.seq;
    for (const client of [eve1, eve2]) {
      await client.until('the last', () => client.seqs(group.id).at(-1) === 42);
      expect(client.story[0]?.event).toBe('conversation:added');
      expect(client.seqs(group.id)).toEqual(range(addedAt, 42));
    }
  });

  it('given a member who is removed while others talk, when it happens, then no later entry reaches them', async () => {
    const [ada, bob, eve] = await world.people('ada', 'bob', 'eve');
    const group = await world.group(ada, bob, eve);
    const [ada1, eve1, eve2] = await Promise.all([world.connect(ada, 0), world.connect(eve, 0), world.connect(eve, 1)]);
    const chatter = (async () => {
      for (let n = 0; n < 40; n += 1) await ada1.say(group.id, `chatter ${n}`);
    })();

    await world.ok('DELETE', `/conversations/${group.id}/members/${eve.userId}`, ada.accessToken);
    await chatter;

    await ada1.until('all', () => ada1.entries(group.id).length === 41);
    const removedAt = ada1.entries(group.id).find(({ type }) => type === 'member:removed')!.seq;
    for (const client of [eve1, eve2]) {
      await client.hear('conversation:removed');
      expect(client.seqs(group.id)).toEqual(range(2, removedAt));
      expect(client.story.at(-1)).toEqual({ event: 'conversation:removed', payload: { conversationId: group.id } });
      expect(await client.emit('typing:start', { conversationId: group.id })).toMatchObject({
        ok: false,
        error: { code: 'NOT_FOUND' },
      });
    }
  });

  it('given a member who is removed and added again, when others talk, then they hear both times without a hole', async () => {
    const [ada, eve] = await world.people('ada', 'eve');
    const group = await world.group(ada, eve);
    const [ada1, eve1] = await Promise.all([world.connect(ada, 0), world.connect(eve, 1)]);

    await ada1.say(group.id, 'before');
    await world.ok('DELETE', `/conversations/${group.id}/members/${eve.userId}`, ada.accessToken);
    await ada1.say(group.id, 'without');
    await world.ok('POST', `/conversations/${group.id}/members`, ada.accessToken, { userIds: [eve.userId] });
    await ada1.say(group.id, 'after');

    await eve1.until('after', () => eve1.seqs(group.id).includes(6));
    expect(eve1.story.map(({ event }) => event)).toEqual([
      'message:new',
      'member:removed',
      'conversation:removed',
      'conversation:added',
      'member:added',
      'message:new',
    ]);
    expect(eve1.seqs(group.id)).toEqual([2, 3, 5, 6]);
  });

  it('given an edit and a deletion, when they are made, then members hear them as entries', async () => {
    const [ada, bob] = await world.people('ada', 'bob');
    const { id } = await world.direct(ada, bob);
    const [ada1, bob1] = await Promise.all([world.connect(ada, 0), world.connect(bob, 1)]);
    const { message } = await ada1.say(id, 'first');

    const edited = await ada1.ok('message:edit', { messageId: message.id, text: 'second' });
    await ada1.ok('message:delete', { messageId: message.id });

    await bob1.hear('message:deleted');
    expect(edited.message).toMatchObject({ id: message.id, text: 'second', editedAt: expect.any(String) });
    expect(bob1.entries(id)).toMatchObject([
      { type: 'message:new', seq: 2, message: { text: 'first' } },
      { type: 'message:edited', seq: 3, message: { id: message.id, seq: 2 } },
      { type: 'message:deleted', seq: 4, messageId: message.id },
    ]);
  });

  it('given a read and a delivered pointer, when they move, then the other hears a receipt and one’s own devices the view', async () => {
    const [ada, bob] = await world.people('ada', 'bob');
    const { id } = await world.direct(ada, bob);
    const [ada1, bob1, bob2] = await Promise.all([world.connect(ada, 0), world.connect(bob, 0), world.connect(bob, 1)]);
    await ada1.say(id, 'read me');

    expect(await bob1.ok('message:delivered', { conversationId: id, seq: 2 })).toEqual({ ok: true, seq: 2 });
    expect(await bob1.ok('message:read', { conversationId: id, seq: 99 })).toEqual({ ok: true, seq: 2 });

    expect(await ada1.hear('receipt', ({ readSeq }) => readSeq === 2)).toEqual({
      conversationId: id,
      userId: bob.userId,
      deliveredSeq: 2,
      readSeq: 2,
      at: expect.any(String),
    });
    const view = await bob2.hear('conversation:me', ({ me }) => (me as { readSeq: number }).readSeq === 2);
    expect(view).toMatchObject({ conversationId: id, me: { unread: 0, deliveredSeq: 2 } });
  });
});
