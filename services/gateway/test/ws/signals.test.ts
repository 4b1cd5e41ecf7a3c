import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { TestClient } from './test-client.ts';
import { TcpProxy } from '@bluewave/dev-env/net/tcp-proxy';
import { type Person, World } from './world.ts';

const statusIs = (userId: string, status: string) => (payload: Record<string, unknown>) =>
  payload['userId'] === userId && payload['status'] === status;

describe('signals between gateways', () => {
  let world: World;
  let redisWire: TcpProxy;
  const redis = new Redis(process.env['TEST_REDIS_URL'] ?? '');
  /** By whom Redis knows the connections of the second gateway. */
  const user = `signals-${randomUUID()}`;
  beforeAll(async () => {
    redisWire = await TcpProxy.start(process.env['TEST_REDIS_URL'] ?? '');
    world = await World.start({ gateways: 1 });
    await redis.call('ACL', 'SETUSER', user, 'on', '>secret', '~*', '&*', '+@all');
    await world.addGateway({ redisUrl: redisWire.url.replace('//', `//${user}:secret@`) });
  }, 30_000);
  afterAll(async () => {
    redisWire.open();
    await world.close();
    await redisWire.close();
    await redis.call('ACL', 'DELUSER', user);
    redis.disconnect();
  }, 30_000);

  const pair = async (): Promise<{
    ada: Person;
    bob: Person;
    id: string;
    ada1: TestClient;
    bob1: TestClient;
    bob2: TestClient;
  }> => {
    const [ada, bob] = await world.people('ada', 'bob');
    const { id } = await world.direct(ada, bob);
    // That somebody came is told to who is there by then.
    const ada1 = await world.connect(ada, 0);
    const [bob1, bob2] = await Promise.all([world.connect(bob, 1), world.connect(bob, 0)]);
    return { ada, bob, id, ada1, bob1, bob2 };
  };

  it('given members on two gateways, when one types and stops, then the others hear it and the typist’s socket not', async () => {
    const { ada, id, ada1, bob1, bob2 } = await pair();

    await ada1.ok('typing:start', { conversationId: id });
    await ada1.ok('typing:start', { conversationId: id });
    for (const client of [bob1, bob2]) await client.hear('typing', ({ on }) => on === true);
    await ada1.ok('typing:stop', { conversationId: id });
    for (const client of [bob1, bob2]) await client.hear('typing', ({ on }) => on === false);

    const typing = (on: boolean) => ({ conversationId: id, userId: ada.userId, on });
    for (const client of [bob1, bob2]) expect(client.of('typing')).toEqual([typing(true), typing(false)]);
    expect(ada1.of('typing')).toEqual([]);
  });

  it('given a typist who falls silent or leaves, when time passes, then the others hear that it stopped', async () => {
    const { id, ada1, bob1, bob2 } = await pair();

    await ada1.ok('typing:start', { conversationId: id });
    await bob2.ok('typing:start', { conversationId: id });
    bob2.close();

    await ada1.hear('typing', ({ on }) => on === false, 1_000);
    await bob1.hear('typing', ({ on }) => on === false, 7_000);
    expect(bob1.of('typing').map(({ on }) => on)).toEqual(expect.arrayContaining([true, false]));
  }, 15_000);

  it('given peers, when somebody comes, goes away and leaves, then they hear each once, within a second', async () => {
    const [ada, bob] = await world.people('ada', 'bob');
    await world.direct(ada, bob);
    const ada1 = await world.connect(ada, 0);

    const bob1 = await world.connect(bob, 1);
    await ada1.hear('presence', statusIs(bob.userId, 'online'), 1_000);
    await pause(1_000);
    await bob1.ok('presence:set', { status: 'away' });
    await ada1.hear('presence', statusIs(bob.userId, 'away'), 2_000);
    await pause(1_000);
    bob1.close();
    await ada1.hear('presence', statusIs(bob.userId, 'offline'), 4_000);

    expect(ada1.of('presence').map(({ status }) => status)).toEqual(['online', 'away', 'offline']);
    expect(ada1.of('presence').at(-1)).toEqual({
      userId: bob.userId,
      status: 'offline',
      lastSeenAt: expect.any(String),
    });
  }, 15_000);

  it('given two devices, when one leaves, then the user stays online', async () => {
    const { ada, bob, ada1, bob1 } = await pair();
    await ada1.hear('presence', statusIs(bob.userId, 'online'));

    bob1.close();
    await pause(2_500);

    expect(ada1.of('presence').every(({ status }) => status === 'online')).toBe(true);
    expect(await ada1.ok('presence:watch', { userIds: [bob.userId] })).toMatchObject({
      users: [{ userId: bob.userId, status: 'online' }],
    });
    expect(ada.userId).not.toBe(bob.userId);
  }, 15_000);

  it('given strangers, when their presence is watched, then nothing is told of them', async () => {
    const [ada, eve] = await world.people('ada', 'eve');
    const ada1 = await world.connect(ada, 0);

    expect(await ada1.ok('presence:watch', { userIds: [eve.userId] })).toEqual({ ok: true, users: [] });
    const eve1 = await world.connect(eve, 0);
    await pause(1_500);

    expect(ada1.of('presence')).toEqual([]);
    eve1.close();
  });

  it('given presence that Redis lost, when time passes, then it is right again within 10 s', async () => {
    const [ada, bob] = await world.people('ada', 'bob');
    await world.direct(ada, bob);
    const ada1 = await world.connect(ada, 0);
    await world.connect(bob, 0);
    await ada1.hear('presence', statusIs(bob.userId, 'online'));

    const key = `bluewave:presence:{${bob.userId}}`;
    const field = (await redis.hkeys(key)).find((one) => one.includes('/')) ?? '';
    await redis.del(key);
    await redis.zrem('bluewave:presence:{gateways}:leases', field.split('/')[0] ?? '');
    const lostAt = Date.now();
    let status = '';
    while (status !== 'online' && Date.now() - lostAt < 10_000) {
      await pause(100);
      status = (await ada1.ok('presence:watch', { userIds: [bob.userId] })).users[0]?.status ?? '';
    }

    expect(status).toBe('online');
  }, 20_000);

  it('given a gateway whose signals do not leave it for a while, when somebody comes there, then others hear it once they do', async () => {
    const [ada, bob] = await world.people('ada', 'bob');
    await world.direct(ada, bob);
    const ada1 = await world.connect(ada, 0);
    const bob1 = await world.connect(bob, 1);
    await ada1.hear('presence', statusIs(bob.userId, 'online'));
    bob1.close();
    await ada1.hear('presence', statusIs(bob.userId, 'offline'));

    let kept = true;
    const keepAway = (async () => {
      while (kept) {
        const clients = String(await redis.client('LIST')).split('\n');
        const publisher = clients.find(
          (one) => one.includes(`user=${user} `) && one.includes('name=gateway-adapter-pub '),
        );
        const id = /^id=(\d+) /.exec(publisher ?? '')?.[1];
        if (id) await redis.client('KILL', 'ID', id);
        await pause(5);
      }
    })();
    await pause(500);
    ada1.heard.length = 0;
    await world.connect(bob, 1);
    await pause(1_500);
    kept = false;
    await keepAway;
    await ada1.hear('presence', statusIs(bob.userId, 'online'), 5_000);
    expect(ada1.of('presence').at(-1)).toMatchObject({ userId: bob.userId, status: 'online' });
  }, 30_000);

  it('given a gateway that Redis does not hear of, when its lease ends, then its users are offline, and online again after', async () => {
    const { bob, id, ada1, bob1, bob2 } = await pair();
    bob2.close();
    await pause(1_500);
    ada1.heard.length = 0;

    redisWire.refuse();
    const cutAt = Date.now();
    // Everything durable goes on.
    await ada1.say(id, 'without redis on the other side');
    await bob1.hear('message:new');
    expect(await bob1.ok('typing:start', { conversationId: id })).toEqual({ ok: true });
    expect(await bob1.ok('presence:ping', {})).toMatchObject({ ok: true });
    const late = await world.connect(bob, 1);
    late.close();
    await ada1.hear('presence', statusIs(bob.userId, 'offline'), 21_000);
    const offlineAfterMs = Date.now() - cutAt;
    redisWire.open();
    await ada1.hear('presence', statusIs(bob.userId, 'online'), 10_000);

    expect(offlineAfterMs).toBeLessThan(20_000);
  }, 60_000);
});
