import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
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

  it('given sockets that are just being let in, when it drains, then each is refused with a time to come back or closed with a code', async () => {
    const ada = await world.person('ada');
    await world.addGateway();
    const last = world.gateways.length - 1;
    let closing: Promise<void> | undefined;
    const come = async (n: number): Promise<unknown> => {
      const client = world.client(ada.accessToken, last);
      // At the very moment, since whoever is in a moment later is known to the drain and whoever came later is refused.
      if (n === 3) client.socket.once('connect', () => (closing ??= world.gateways.pop()?.close()));
      try {
        await client.connected();
      } catch (error) {
        return (error as Error & { data: { code: string } }).data.code;
      }
      await client.hear('disconnect');
      return client.disconnects;
    };
    const ends = await Promise.all(Array.from({ length: 8 }, (_, n) => come(n)));
    await closing;
    for (const end of ends) expect(['UNAVAILABLE', [{ reason: 'transport close', code: 1012 }]]).toContainEqual(end);
    expect(ends).toContainEqual([{ reason: 'transport close', code: 1012 }]);
  }, 30_000);
});
