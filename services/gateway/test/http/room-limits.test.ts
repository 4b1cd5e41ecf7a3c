import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Message } from '@bluewave/api/objects';
import type { Problem } from '@bluewave/errors/problem';
import type { ChatServiceDefinition } from '@bluewave/protos/generated/bluewave/chat/v1/ChatService';
import { createClient } from '@bluewave/rpc/client';
import { loadService } from '@bluewave/rpc/service-definition';
import type { Person } from './support/caller.ts';
import { type GatewayUnderTest, startGatewayUnderTest } from './support/gateway.ts';
import { type Services, startServices } from './support/services.ts';

type Sent = Partial<Problem> & { message?: Message; duplicate?: boolean; remaining?: number };

describe('limits of sending over REST', () => {
  let services: Services;
  let open: GatewayUnderTest;
  let doors: [GatewayUnderTest, GatewayUnderTest];
  let blind: GatewayUnderTest;
  let strict: GatewayUnderTest;
  beforeAll(async () => {
    services = await startServices();
    const limited = { ...services.addresses, RATE_LIMITS: 'on', TRUSTED_PROXIES: 'loopback' };
    const started = await Promise.all([
      startGatewayUnderTest(services.addresses),
      startGatewayUnderTest(limited),
      startGatewayUnderTest(limited),
      startGatewayUnderTest({ ...limited, REDIS_URL: 'redis://127.0.0.1:1' }),
      startGatewayUnderTest({ ...limited, MESSAGES_PER_MINUTE: '3', ROOM_MESSAGES: '7', ROOM_MUTE_SECONDS: '60' }),
    ]);
    const [first, second] = [started[1], started[2]];
    [open, doors, blind, strict] = [started[0], [first, second], started[3], started[4]];
  }, 60_000);
  afterAll(async () => {
    await Promise.all([open, ...(doors ?? []), blind, strict].map((one) => one?.close()));
    await services?.close();
  }, 30_000);

  const conversation = async (type: 'room' | 'group', owner: Person, ...members: Person[]): Promise<string> => {
    const definition = loadService<ChatServiceDefinition>('chat', 'ChatService');
    const chat = createClient(definition, services.addresses.CHAT_ADDRESS, 'chat', undefined);
    const userIds = members.map(({ id }) => id);
    const made = await chat.call.CreateConversation(
      { actorId: owner.id, type, name: 'Hall', description: '', userIds, idempotencyKey: randomUUID() },
      { traceId: 'a'.repeat(32), deadline: Date.now() + 3_000 },
    );
    chat.close();
    return made.conversation?.info?.id ?? '';
  };
  const send = (door: GatewayUnderTest, person: Person, id: string, body: object = {}) =>
    door.call<Sent>('POST', `/conversations/${id}/messages`, {
      token: person.accessToken,
      body: { clientMsgId: randomUUID(), text: 'again', ...body },
    });

  it('given a room, when one sends six, then the sixth is muted on all gateways, and others are not', async () => {
    const [alice, bob] = await Promise.all([open.register('alice'), open.register('bob')]);
    const [hall, other] = [await conversation('room', alice, bob), await conversation('room', alice)];
    const first = { clientMsgId: randomUUID(), text: 'first' };
    for (let index = 0; index < 5; index += 1) {
      const { status, body, headers } = await send(doors[index % 2 ? 0 : 1], alice, hall, index === 0 ? first : {});
      expect({ status, remaining: body.remaining }).toEqual({ status: 201, remaining: 4 - index });
      expect([headers.get('ratelimit-limit'), headers.get('ratelimit-remaining')]).toEqual(['5', `${4 - index}`]);
    }
    const started = Date.now();
    const sixth = await send(doors[0], alice, hall);
    expect(sixth).toMatchObject({ status: 429, body: { code: 'RATE_LIMITED', retryAfterMs: expect.any(Number) } });
    const until = Date.parse(sixth.body.mutedUntil ?? '');
    expect(until).toBeGreaterThan(started + 29_000);
    expect(until).toBeLessThan(Date.now() + 31_000);
    expect([sixth.headers.get('ratelimit-limit'), sixth.headers.get('ratelimit-remaining')]).toEqual(['5', '0']);
    expect(Number(sixth.headers.get('retry-after'))).toBeLessThanOrEqual(31);
    const seventh = await send(doors[1], alice, hall);
    expect(seventh).toMatchObject({ status: 429, body: { mutedUntil: sixth.body.mutedUntil } });

    expect(await send(doors[1], alice, hall, first)).toMatchObject({ status: 200, body: { duplicate: true } });
    expect(await send(doors[0], alice, hall, { ...first, text: 'else' })).toMatchObject({
      ...{ status: 409, body: { code: 'IDEMPOTENCY_MISMATCH' } },
    });
    expect(await send(doors[0], bob, hall)).toMatchObject({ status: 201, body: { remaining: 4 } });
    expect(await send(doors[0], alice, other)).toMatchObject({ status: 201, body: { remaining: 4 } });
    expect((await send(open, alice, hall)).body).not.toHaveProperty('remaining');
  });

  it('given a group, when many are sent, then no room’s limit is in force', async () => {
    const carol = await open.register('carol');
    const group = await conversation('group', carol);
    for (let index = 0; index < 8; index += 1) {
      const { status, body } = await send(doors[index % 2 ? 0 : 1], carol, group);
      expect(status).toBe(201);
      expect(body).not.toHaveProperty('remaining');
    }
  });

  it('given no Redis, when one sends six to a room, then the gateway counts by itself', async () => {
    const dora = await open.register('dora');
    const hall = await conversation('room', dora);
    const statuses: number[] = [];
    for (let index = 0; index < 7; index += 1) statuses.push((await send(blind, dora, hall)).status);
    expect(statuses).toEqual([201, 201, 201, 201, 201, 429, 429]);
  });

  it('given a limit that is used up, when an acknowledged message is repeated, then it is the original', async () => {
    const erin = await open.register('erin');
    const group = await conversation('group', erin);
    const first = { clientMsgId: randomUUID(), text: 'first' };
    const sent = await send(strict, erin, group, first);
    // Repeats cost nothing: two more are left all the same.
    for (let time = 0; time < 5; time += 1) {
      expect(await send(strict, erin, group, first)).toMatchObject({ status: 200, body: { duplicate: true } });
    }
    const [second, third, fourth] = [
      await send(strict, erin, group),
      await send(strict, erin, group),
      await send(strict, erin, group),
    ];
    expect([second?.status, third?.status, fourth?.status]).toEqual([201, 201, 429]);
    const again = await send(strict, erin, group, first);
    expect(again).toMatchObject({ status: 200, body: { duplicate: true, message: { id: sent.body.message?.id } } });
    expect(await send(strict, erin, group, { ...first, text: 'other' })).toMatchObject({ status: 409 });
    expect(await send(strict, erin, group)).toMatchObject({ status: 429, body: { code: 'RATE_LIMITED' } });
    const limits = await strict.call('GET', '/limits');
    expect(limits.body).toMatchObject({
      messagesPerMinute: 3,
      roomMessages: 7,
      roomWindowSeconds: 10,
      roomMuteSeconds: 60,
    });
  });
});
