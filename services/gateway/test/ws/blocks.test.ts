import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Member, User } from '@bluewave/api/objects';
import { type Person, World } from './world.ts';

const from = (person: Person) => (payload: Record<string, unknown>) => payload['userId'] === person.userId;

describe('blocks between gateways and replicas', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start({ gateways: 2, chats: 2 });
  }, 30_000);
  afterAll(() => world.close(), 30_000);

  const block = (blocker: Person, blocked: Person, method = 'PUT', gateway = 0) =>
    world.ok(method, `/users/me/blocks/${blocked.userId}`, blocker.accessToken, undefined, gateway);
  const send = (person: Person, id: string, gateway: number) =>
    world.rest(
      'POST',
      `/conversations/${id}/messages`,
      person.accessToken,
      { clientMsgId: randomUUID(), text: 'x' },
      gateway,
    );

  it('given pairs at home on both replicas, when one blocks, then the next send of the other is refused anywhere', async () => {
    const [ada, bob] = await world.people('ada', 'bob');
    const ada1 = await world.connect(ada, 1);
    for (let round = 0; round < 6; round += 1) {
      const eve = await world.person('eve');
      const [one, other] = [await world.direct(ada, eve), await world.direct(eve, bob)];
      expect((await send(ada, one.id, 1)).status).toBe(201);
      await block(eve, ada, 'PUT', round % 2);
      for (const gateway of [0, 1]) {
        expect(await send(ada, one.id, gateway)).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } });
      }
      const bySocket = { conversationId: one.id, clientMsgId: randomUUID(), text: 'x' };
      expect(await ada1.emit('message:send', bySocket)).toMatchObject({ ok: false, error: { code: 'FORBIDDEN' } });
      expect((await send(bob, other.id, 1)).status).toBe(201);
      await block(eve, ada, 'DELETE', round % 2);
      expect((await send(ada, one.id, 0)).status).toBe(201);
    }
  }, 60_000);

  it('given somebody who is online, when they block another, then that one sees them gone and hears of them no more', async () => {
    const [ada, bob, carol] = await world.people('ada', 'bob', 'carol');
    await world.direct(ada, bob);
    const { id } = await world.group(carol, ada, bob);
    const [ada1, carol1] = [await world.connect(ada, 0), await world.connect(carol, 0)];
    const bob1 = await world.connect(bob, 1);
    await ada1.hear('presence', (heard) => from(bob)(heard) && heard['status'] === 'online');
    await ada1.ok('presence:watch', { userIds: [bob.userId] });

    await block(bob, ada);
    await ada1.hear('presence', (heard) => from(bob)(heard) && heard['status'] === 'offline');
    expect(ada1.of('presence').filter(from(bob)).at(-1)).toEqual({
      ...{ userId: bob.userId, status: 'offline', lastSeenAt: null },
    });
    await pause(1_100);
    await bob1.ok('presence:set', { status: 'away' });
    await carol1.hear('presence', (heard) => from(bob)(heard) && heard['status'] === 'away');
    const profile = await world.ok<User>('GET', `/users/${bob.userId}`, ada.accessToken);
    expect(profile).toMatchObject({ status: 'offline', lastSeenAt: null });
    expect(await ada1.ok('presence:watch', { userIds: [bob.userId] })).toMatchObject({ users: [] });
    const { roster } = await ada1.ok('conversation:subscribe', { conversationId: id });
    expect(roster.map(({ userId }) => userId)).not.toContain(bob.userId);
    const { items } = await world.ok<{ items: Member[] }>('GET', `/conversations/${id}/members`, ada.accessToken);
    expect(items.find(({ user }) => user.id === bob.userId)?.user).toMatchObject({
      status: 'offline',
      lastSeenAt: null,
    });
    const seen = await carol1.ok('conversation:subscribe', { conversationId: id });
    expect(seen.roster.map(({ userId }) => userId)).toContain(bob.userId);
    bob1.close();
    await carol1.hear('presence', (heard) => from(bob)(heard) && heard['status'] === 'offline');
    // All that ada has heard of bob: that he came, and that he is gone.
    expect(
      ada1
        .of('presence')
        .filter(from(bob))
        .map(({ status }) => status),
    ).toEqual(['online', 'offline']);
  }, 30_000);

  it('given somebody who blocked another, when that one types, then they do not hear it and others do', async () => {
    const [ada, bob, carol] = await world.people('ada', 'bob', 'carol');
    const direct = await world.direct(ada, bob);
    const group = await world.group(carol, ada, bob);
    const ada1 = await world.connect(ada, 0);
    const [bob1, carol1] = [await world.connect(bob, 1), await world.connect(carol, 1)];
    await block(bob, ada);
    // A socket that comes later is as deaf as the one that was there.
    const bob2 = await world.connect(bob, 0);
    // The gateways hear of the block by the bus, at about the time of its answer.
    const heardAfter = async (id: string): Promise<number> => {
      const before = [bob1, bob2].map((client) => client.of('typing').length);
      const told = carol1.of('typing').length;
      await ada1.ok('typing:start', { conversationId: id });
      if (id === group.id) await carol1.until('typing', (client) => client.of('typing').length > told);
      await ada1.ok('typing:stop', { conversationId: id });
      // What was sent to them before the answer to this has arrived with it.
      await Promise.all([bob1, bob2].map((client) => client.ok('presence:ping', {})));
      return [bob1, bob2].reduce((sum, client, index) => sum + client.of('typing').length - (before[index] ?? 0), 0);
    };
    const end = Date.now() + 5_000;
    while ((await heardAfter(group.id)) > 0 && Date.now() < end) await pause(50);
    expect(await heardAfter(group.id)).toBe(0);
    expect(await heardAfter(direct.id)).toBe(0);
    const held = [bob1, bob2].map((client) => client.of('typing').length);

    await block(bob, ada, 'DELETE');
    const hearing = async (): Promise<boolean> => {
      await heardAfter(direct.id);
      return [bob1, bob2].every((client, index) => client.of('typing').length > (held[index] ?? 0));
    };
    while (!(await hearing()) && Date.now() < end + 5_000) await pause(50);
    expect(await hearing()).toBe(true);
  }, 30_000);
});
