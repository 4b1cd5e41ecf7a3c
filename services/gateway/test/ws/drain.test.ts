import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { TcpProxy } from '@bluewave/dev-env/net/tcp-proxy';
import { World } from './world.ts';

describe('a gateway that goes away', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start({ gateways: 2 });
  }, 30_000);
  afterAll(() => world.close(), 30_000);

  it('given connected sockets, when it drains, then each is told when to come back, answered, and closed with a code', async () => {
    const people = await world.people('ada', 'bob', 'eve', 'tim');
    const [ada, bob] = people;
    const { id } = await world.direct(ada, bob);
    const clients = await Promise.all(people.map((person) => world.connect(person, 1)));
    const polling = await world.connect(ada, 1, { polling: true });
    const elsewhere = await world.connect(bob, 0);
    const [ada1] = clients;
    const sends = Array.from({ length: 20 }, (_, n) =>
      ada1?.emit('message:send', { conversationId: id, clientMsgId: randomUUID(), text: `under way ${n}` }),
    );

    const startedAt = Date.now();
    const closing = world.gateways[1]?.close();
    const refusal = await world.client(ada.accessToken, 1).refused();
    const answers = await Promise.all(sends);
    await closing;
    const tookMs = Date.now() - startedAt;

    expect(refusal).toMatchObject({ code: 'UNAVAILABLE', retryAfterMs: expect.any(Number) });
    for (const answer of answers) expect(answer).toMatchObject({ ok: true });
    for (const client of [...clients, polling]) {
      await client.hear('disconnect');
      expect(client.of('server:draining')).toEqual([{ retryAfterMs: expect.any(Number) }]);
    }
    for (const client of clients) expect(client.disconnects).toEqual([{ reason: 'transport close', code: 1012 }]);
    expect(tookMs).toBeLessThan(10_000);
    await elsewhere.until('all messages', () => elsewhere.entries(id).length === 20);
    expect(elsewhere.disconnects).toEqual([]);
    world.gateways.pop();
  }, 30_000);

  it('given a drained gateway’s users, when they come back elsewhere, then a sync and what they hear leave no hole', async () => {
    const [ada, bob] = await world.people('ada', 'bob');
    const { id } = await world.direct(ada, bob);
    await world.addGateway();
    const [ada1, bob1] = await Promise.all([world.connect(ada, 0), world.connect(bob, 1)]);
    const chatter = (async () => {
      for (let n = 0; n < 100; n += 1) await ada1.say(id, `message ${n}`);
    })();
    await bob1.hear('message:new');

    await world.gateways.pop()?.close();
    const bob2 = await world.connect(bob, 0);
    const have = bob1.seqs(id).at(-1) ?? 0;
    const { conversations } = await bob2.ok('sync', { cursors: { [id]: have } });
    await chatter;
    await bob2.until('the last', () => bob2.seqs(id).at(-1) === 101 || conversations[0]?.entries.at(-1)?.seq === 101);

    const seqs = new Set([
      ...bob1.seqs(id),
      ...(conversations[0]?.entries ?? []).map(({ seq }) => seq),
      ...bob2.seqs(id),
    ]);
    expect([...seqs].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, n) => n + 2));
  }, 30_000);

  it('given a device that says it goes over by itself, when the gateway drains, then it is left open until it does', async () => {
    const [ada, bob] = await world.people('ada', 'bob');
    await world.addGateway();
    const last = world.gateways.length - 1;
    const [moving, other] = await Promise.all([world.connect(ada, last), world.connect(bob, last)]);
    moving.socket.on('server:draining', (_told: unknown, acknowledge: () => void) => acknowledge());

    const closing = world.gateways.pop()?.close();
    await other.hear('disconnect');
    expect(moving.disconnects).toEqual([]);
    expect(await moving.ok('presence:ping', {})).toMatchObject({ serverTime: expect.any(String) });
    const next = await world.connect(ada, 0);
    moving.socket.disconnect();
    await closing;

    expect(other.disconnects).toEqual([{ reason: 'transport close', code: 1012 }]);
    expect(next.disconnects).toEqual([]);
  }, 30_000);

  it('given a device that says so and stays, when its time is over, then it is closed with a code', async () => {
    const [ada] = await world.people('ada');
    await world.addGateway();
    const staying = await world.connect(ada, world.gateways.length - 1);
    staying.socket.on('server:draining', (_told: unknown, acknowledge: () => void) => acknowledge());
    await world.gateways.pop()?.close();
    await staying.hear('disconnect');
    expect(staying.disconnects).toEqual([{ reason: 'transport close', code: 1012 }]);
  }, 30_000);

  it('given sockets that are being let in while it drains, then each is refused with a time to come back', async () => {
    const redisWire = await TcpProxy.start(process.env['TEST_REDIS_URL'] ?? '');
    const [ada, bob] = await world.people('ada', 'bob');
    await world.addGateway({ redisUrl: redisWire.url });
    const last = world.gateways.length - 1;
    // Enough of them that the drain still goes on when the others are let in.
    const connected = await Promise.all(Array.from({ length: 9 }, () => world.connect(bob, last)));

    redisWire.hold();
    const entering = Array.from({ length: 4 }, () => world.client(ada.accessToken, last));
    const refusals = Promise.all(entering.map((client) => client.refused()));
    await Promise.all(entering.map((client) => new Promise<void>((resolve) => client.socket.io.once('open', resolve))));
    // What was asked of the gateway is at Redis by then, which does not answer.
    await new Promise((resolve) => setTimeout(resolve, 50));
    const closing = world.gateways.pop()?.close();
    redisWire.open();

    for (const refusal of await refusals) {
      expect(refusal).toMatchObject({ code: 'UNAVAILABLE', retryAfterMs: expect.any(Number) });
    }
    await closing;
    for (const client of connected) expect(client.disconnects).toEqual([{ reason: 'transport close', code: 1012 }]);
    await redisWire.close();
  }, 30_000);
});
