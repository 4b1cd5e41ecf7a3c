import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Conversation, SyncAnswer } from '@bluewave/api/objects';
import type { TestClient } from './test-client.ts';
import { type Person, World } from './world.ts';

describe('changes of conversations, live', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start();
  }, 60_000);
  afterAll(() => world.close(), 30_000);

  /** A group of three whose members are connected, bob by two devices, over both gateways. */
  const scene = async () => {
    const [ada, bob, cem] = await world.people('ada', 'bob', 'cem');
    const { id } = await world.group(ada, bob, cem);
    const clients = await Promise.all([
      ...[world.connect(ada, 0), world.connect(bob, 1), world.connect(bob, 0), world.connect(cem, 1)],
    ]);
    const [ada1, bob1, bob2, cem1] = clients as [TestClient, TestClient, TestClient, TestClient];
    const as = <T>(person: Person, method: string, path: string, body?: unknown) =>
      world.ok<T>(method, `/conversations/${id}${path}`, person.accessToken, body);
    return { ada, bob, cem, id, ada1, bob1, bob2, cem1, clients, as };
  };
  const sync = (person: Person, cursors: Record<string, number>) =>
    world.ok<SyncAnswer>('POST', '/sync', person.accessToken, { cursors });

  it('given members on two gateways, when it is changed, then every socket is told how it is now, and so is a sync', async () => {
    const { ada, bob, id, clients, as } = await scene();
    const changed = await as<Conversation>(ada, 'PATCH', '', { name: 'Engines', slowModeSeconds: 10 });
    expect(changed).toMatchObject({ name: 'Engines', slowModeSeconds: 10, me: { role: 'owner' } });
    const told = { id, name: 'Engines', slowModeSeconds: 10, memberCount: 3, history: 'all', head: 2 };
    for (const client of clients) {
      const event = await client.hear('conversation:updated');
      expect(event).toMatchObject({ conversationId: id, seq: 2, actor: ada.userId, conversation: told });
    }
    const { conversations } = await sync(bob, { [id]: 1 });
    expect(conversations).toMatchObject([{ entries: [{ type: 'conversation:updated', seq: 2, conversation: told }] }]);
  });

  it('given members, when a role changes and the ownership passes on, then every socket is told', async () => {
    const { ada, bob, cem, clients, as } = await scene();
    await as(ada, 'PATCH', `/members/${cem.userId}`, { role: 'moderator' });
    await as(ada, 'POST', '/owner', { userId: bob.userId });
    for (const client of clients) {
      await client.until('both', () => client.of('member:updated').length === 2);
      expect(client.of('member:updated')).toMatchObject([
        { seq: 2, userId: cem.userId, role: 'moderator' },
        { seq: 3, userId: bob.userId, role: 'owner', demotedUserId: ada.userId },
      ]);
    }
  });

  it('given members, when one is banned, then they are told that they are out and hear no more', async () => {
    const { ada, bob, cem, id, ada1, bob1, bob2, cem1, as } = await scene();
    await as(ada, 'PUT', `/bans/${bob.userId}`, { reason: 'spam' });
    for (const client of [ada1, cem1]) {
      expect(await client.hear('member:removed')).toMatchObject({ seq: 2, userId: bob.userId, banned: true });
    }
    for (const client of [bob1, bob2])
      expect(await client.hear('conversation:removed')).toEqual({ conversationId: id });
    await world.send(cem, id, 'without bob');
    await ada1.hear('message:new');
    expect([...bob1.of('message:new'), ...bob2.of('message:new')]).toEqual([]);
    expect((await sync(bob, { [id]: 1 })).removed).toEqual([id]);
  });

  it('given members, when it is deleted, then every socket hears the end of it, and a sync takes it away', async () => {
    const { ada, bob, id, clients, as } = await scene();
    await as(ada, 'DELETE', '');
    for (const client of clients) {
      expect(await client.hear('conversation:deleted')).toMatchObject({ conversationId: id, seq: 2 });
      expect(await client.hear('conversation:removed')).toEqual({ conversationId: id });
    }
    expect(await sync(bob, { [id]: 1 })).toMatchObject({ conversations: [], removed: [id] });
    for (const person of [ada, bob]) {
      expect(await world.rest('GET', `/conversations/${id}`, person.accessToken)).toMatchObject({ status: 404 });
    }
  });

  it('given two devices, when one arranges a conversation, then the other is told, and nobody else', async () => {
    const { bob, id, ada1, bob1, bob2, as } = await scene();
    const mutedUntil = '2100-01-01T00:00:00.000Z';
    const settings = { archived: true, pinned: true, mutedUntil, notify: 'none' };
    expect(await as<Conversation>(bob, 'PATCH', '/me', settings)).toMatchObject({ id, me: settings });
    for (const client of [bob1, bob2]) {
      expect(await client.hear('conversation:me')).toMatchObject({ conversationId: id, me: settings });
    }
    expect(await as<Conversation>(bob, 'PATCH', '/me', { mutedUntil: null })).toMatchObject({
      me: { mutedUntil: null },
    });
    expect(ada1.of('conversation:me')).toEqual([]);
  });

  it('given a room, when somebody joins, then their sockets are told of it and hear what comes', async () => {
    const [ada, bob] = await world.people('ada', 'bob');
    const room = await world.ok<Conversation>('POST', '/conversations', ada.accessToken, {
      type: 'room',
      name: 'Hall',
    });
    const [ada1, bob1] = await Promise.all([world.connect(ada, 0), world.connect(bob, 1)]);
    const joined = await world.ok<Conversation>('POST', `/conversations/${room.id}/join`, bob.accessToken);
    expect(joined).toMatchObject({ id: room.id, type: 'room', memberCount: 2, me: { role: 'member' } });
    expect(await ada1.hear('member:added')).toMatchObject({ seq: 2, userIds: [bob.userId] });
    expect(await bob1.hear('conversation:added')).toMatchObject({ conversation: { id: room.id, name: 'Hall' } });
    await world.send(ada, room.id, 'welcome');
    expect(await bob1.hear('message:new')).toMatchObject({ seq: 3 });
  });
});
