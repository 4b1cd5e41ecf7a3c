import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { ClientEventName } from '@bluewave/api/socket-events';
import type { TestClient } from './test-client.ts';
import { World } from './world.ts';

type Outcome = { ok: boolean; error?: { code: string; retryAfterMs?: number } };

describe('limits of events on one socket', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start({ gateways: 1, rateLimits: true });
  }, 60_000);
  afterAll(() => world.close(), 30_000);

  const many = async (
    client: TestClient,
    event: ClientEventName,
    payload: unknown,
    count: number,
  ): Promise<Outcome[]> => Promise.all(Array.from({ length: count }, () => client.emit(event, payload)));

  it('given events that cost others something, when they come too often, then those beyond the burst are refused with a time', async () => {
    const [ada, bob] = await world.people('ada', 'bob');
    const { id } = await world.direct(ada, bob);
    const client = await world.connect(ada);

    const answers = await many(client, 'typing:start', { conversationId: id }, 60);
    const refused = answers.filter(({ ok }) => !ok);

    expect(answers.filter(({ ok }) => ok).length).toBeGreaterThanOrEqual(20);
    expect(refused.length).toBeGreaterThan(20);
    for (const { error } of refused) {
      expect(error).toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: expect.any(Number) });
    }
    // Each event has a budget of its own, and what is durable is not held back by it.
    expect(await client.ok('presence:watch', { userIds: [bob.userId] })).toMatchObject({ ok: true });
    expect(
      await client.ok('message:send', { conversationId: id, clientMsgId: randomUUID(), text: 'hi' }),
    ).toMatchObject({
      ok: true,
    });
  }, 20_000);

  it('given a client that asks for many syncs at once, when two are under way, then the others are refused and may come again', async () => {
    const ada = await world.person('ada');
    const client = await world.connect(ada);

    const answers = await many(client, 'sync', { cursors: {} }, 10);

    expect(answers.filter(({ ok }) => ok).length).toBeGreaterThanOrEqual(2);
    const refused = answers.filter(({ ok }) => !ok);
    expect(refused.length).toBeGreaterThan(0);
    for (const { error } of refused) expect(error).toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: 250 });
    expect(await client.ok('sync', { cursors: {} })).toMatchObject({ ok: true, conversations: [] });
  }, 20_000);

  it('given a loop that went wild, when it goes on, then the socket is cut with a code', async () => {
    const ada = await world.person('ada');
    const client = await world.connect(ada);

    for (let sent = 0; sent < 3_000; sent += 1) client.socket.emit('presence:ping', {});
    await client.hear('disconnect', () => true, 15_000);

    expect(client.disconnects).toEqual([{ reason: 'transport close', code: 4429 }]);
  }, 30_000);
});
