import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { TcpProxy } from '@bluewave/dev-env/net/tcp-proxy';
import { World } from './world.ts';

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);

describe('outages', () => {
  let world: World;
  let natsWire: TcpProxy;
  beforeAll(async () => {
    natsWire = await TcpProxy.start(process.env['TEST_NATS_URL'] ?? '');
    world = await World.start({ gateways: 1 });
    await world.addGateway({ natsUrl: natsWire.url });
  }, 30_000);
  afterAll(async () => {
    natsWire.open();
    await world.close();
    await natsWire.close();
  }, 30_000);

  it('given a gateway that NATS does not reach, when entries are committed, then its sockets get them all within 5 s', async () => {
    const [ada, bob] = await world.people('ada', 'bob');
    const { id } = await world.direct(ada, bob);
    const [ada1, bob1] = await Promise.all([world.connect(ada, 0), world.connect(bob, 1)]);
    await ada1.say(id, 'before');
    await bob1.hear('message:new');

    natsWire.refuse();
    await pause(100);
    for (let n = 0; n < 250; n += 1) await ada1.say(id, `deaf ${n}`);
    await bob1.until('all, by asking the log', () => bob1.seqs(id).at(-1) === 252, 5_000);
    natsWire.open();
    for (let n = 0; n < 10; n += 1) await ada1.say(id, `healed ${n}`);
    await bob1.until('the rest', () => bob1.seqs(id).at(-1) === 262, 5_000);

    expect(bob1.seqs(id)).toEqual(range(2, 262));
  }, 30_000);

  it('given a user who is added while NATS is away, when it is back, then they hear of the conversation', async () => {
    const [ada, eve] = await world.people('ada', 'eve');
    const eve1 = await world.connect(eve, 1);

    natsWire.refuse();
    await pause(100);
    const group = await world.group(ada, eve);
    await world.send(ada, group.id, 'unheard');
    natsWire.open();
    await eve1.hear('conversation:added', () => true, 5_000);
    await world.send(ada, group.id, 'heard');
    await eve1.hear('message:new', ({ message }) => (message as { text: string }).text === 'heard', 5_000);

    const seqs = eve1.seqs(group.id);
    expect(seqs).toEqual(range(seqs[0] ?? 0, 3));
  }, 30_000);

  it('given a member who is removed while NATS is away, when it is back, then no entry after the removal reached them', async () => {
    const [ada, eve] = await world.people('ada', 'eve');
    const group = await world.group(ada, eve);
    const eve1 = await world.connect(eve, 1);

    natsWire.refuse();
    await pause(100);
    await world.send(ada, group.id, 'still a member');
    await world.ok('DELETE', `/conversations/${group.id}/members/${eve.userId}`, ada.accessToken);
    await world.send(ada, group.id, 'not for eve');
    await pause(500);
    natsWire.open();
    await world.send(ada, group.id, 'nor this');
    await eve1.hear('conversation:removed', () => true, 5_000);
    await pause(500);

    expect(eve1.seqs(group.id)).toEqual([2, 3]);
  }, 30_000);

  it('given chat that is restarted, when messages are sent after, then sockets go on without a hole', async () => {
    const [ada, bob] = await world.people('ada', 'bob');
    const { id } = await world.direct(ada, bob);
    const [ada1, bob1] = await Promise.all([world.connect(ada, 0), world.connect(bob, 1)]);
    await ada1.say(id, 'before');
    const port = world.chat.grpcPort;

    await world.chat.close();
    const during = await ada1.emit('message:send', {
      conversationId: id,
      clientMsgId: randomUUID(),
      text: 'during',
    });
    world.chat = await world.startChat(port);
    await pause(1_500);
    await ada1.say(id, 'after');

    expect(during).toMatchObject({
      ok: false,
      error: { code: expect.stringMatching(/^(UNAVAILABLE|DEADLINE_EXCEEDED)$/) },
    });
    for (const client of [ada1, bob1]) {
      await client.until('after', () => client.seqs(id).length === 2);
      expect(client.seqs(id)).toEqual([2, 3]);
    }
  }, 30_000);

  it('given a session that ended while NATS was away, when it is back, then its sockets are cut', async () => {
    const ada = await world.person('ada');
    const ada1 = await world.connect(ada, 1);

    natsWire.refuse();
    await pause(100);
    await world.ok('POST', '/auth/logout', ada.accessToken, {}, 0);
    await pause(300);
    expect(ada1.socket.connected).toBe(true);
    natsWire.open();

    await ada1.hear('session:revoked', () => true, 5_000);
    await ada1.hear('disconnect', () => true, 1_000);
  }, 30_000);
});
