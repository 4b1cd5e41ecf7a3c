import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { clientEvents } from '@bluewave/api/socket-events';
import { isErrorCode } from '@bluewave/errors/error-table';
import type { Conversation } from '@bluewave/api/objects';
import fc from 'fast-check';
import type { TestClient } from './test-client.ts';
import { type Person, World } from './world.ts';

describe('socket events', () => {
  let world: World;
  let ada: Person;
  let bob: Person;
  let direct: Conversation;
  let client: TestClient;
  beforeAll(async () => {
    world = await World.start({ gateways: 1 });
    [ada, bob] = await world.people('ada', 'bob');
    direct = await world.direct(ada, bob);
  }, 30_000);
  beforeEach(async () => {
    client?.close();
    client = await world.connect(ada);
  });
  afterAll(() => world.close(), 30_000);

  it('given a repeated send, when the body is the same, then the first message is answered as a duplicate', async () => {
    const send = { conversationId: direct.id, clientMsgId: randomUUID(), text: 'once' };

    const first = await client.ok('message:send', send);
    const second = await client.ok('message:send', send);
    const other = await client.emit('message:send', { ...send, text: 'twice' });

    expect(first).toEqual({ ok: true, message: expect.objectContaining({ text: 'once' }) });
    expect(second).toEqual({ ok: true, message: first.message, duplicate: true });
    expect(other).toMatchObject({ ok: false, error: { code: 'IDEMPOTENCY_MISMATCH', status: 409 } });
  });

  it('given bad payloads, when they are sent, then each wrong field is named', async () => {
    const answer = await client.emit('message:send', { conversationId: 'x', clientMsgId: 7, text: 'a', extra: 1 });

    expect(answer).toMatchObject({ ok: false, error: { code: 'VALIDATION_FAILED', status: 400 } });
    const { errors = [] } = answer.ok ? {} : answer.error;
    expect(errors.map(({ path }) => path).sort()).toEqual(['', 'clientMsgId', 'conversationId']);
  });

  it('given a conversation of others, when anything is asked of it, then it is not there', async () => {
    const eve = await world.connect(await world.person('eve'));
    const conversationId = direct.id;
    const events = {
      'message:send': { conversationId, clientMsgId: randomUUID(), text: 'hi' },
      'message:edit': { messageId: `${conversationId}:2`, text: 'hi' },
      'message:delete': { messageId: `${conversationId}:2` },
      'message:react': { messageId: `${conversationId}:2`, emoji: '👍', on: true },
      'message:read': { conversationId, seq: 1 },
      'message:delivered': { conversationId, seq: 1 },
      'typing:start': { conversationId },
      'typing:stop': { conversationId },
      'conversation:subscribe': { conversationId },
    } as const;

    for (const [event, payload] of Object.entries(events)) {
      const answer = await eve.emit(event as keyof typeof events, payload);
      expect([event, answer]).toEqual([
        event,
        { ok: false, error: expect.objectContaining({ code: 'NOT_FOUND', status: 404 }) },
      ]);
    }
    expect(await eve.ok('sync', { cursors: { [conversationId]: 1 } })).toEqual({
      ok: true,
      conversations: [],
      removed: [conversationId],
      token: expect.any(String),
    });
  });

  it('given no acknowledgement, when events are sent, then they are served and nothing breaks', async () => {
    client.socket.emit('message:send', {
      conversationId: direct.id,
      clientMsgId: randomUUID(),
      text: 'unacknowledged',
    });
    client.socket.emit('message:send', 'nonsense');
    client.socket.emit('presence:ping');

    const heard = await client.hear(
      'message:new',
      ({ message }) => (message as { text: string }).text === 'unacknowledged',
    );
    expect(heard['conversationId']).toBe(direct.id);
    expect(await client.ok('presence:ping', {})).toEqual({ ok: true, serverTime: expect.any(String) });
  });

  it('given more arguments than one, when an event is sent, then it is refused', async () => {
    const answer: unknown = await client.socket.timeout(3_000).emitWithAck('presence:ping', {}, {});

    expect(answer).toMatchObject({ ok: false, error: { code: 'VALIDATION_FAILED' } });
  });

  it('given events that do not exist, when they go on, then each is refused and the socket is cut after 20', async () => {
    const answers: unknown[] = [];
    for (let n = 0; n < 19; n += 1)
      answers.push(await client.socket.timeout(3_000).emitWithAck(`no:such:event:${n}`, {}));
    client.socket.emit('__proto__', {});
    await client.hear('disconnect');

    expect(answers).toHaveLength(19);
    for (const answer of answers) expect(answer).toMatchObject({ ok: false, error: { code: 'UNKNOWN_EVENT' } });
    expect(client.disconnects).toEqual([{ reason: 'transport close', code: 4400 }]);
  });

  it('given a payload above 64 KiB, when it is sent, then the socket is closed and the gateway goes on', async () => {
    client.socket.emit('message:send', {
      conversationId: direct.id,
      clientMsgId: randomUUID(),
      text: 'x'.repeat(70_000),
    });
    await client.hear('disconnect');

    const again = await world.connect(ada);
    expect(await again.say(direct.id, 'still here')).toMatchObject({ ok: true });
  });

  it('given a direct conversation, when it is opened, then its state and who is there are answered', async () => {
    const bob1 = await world.connect(bob);
    await bob1.ok('presence:ping', {});

    const { conversation, roster } = await client.ok('conversation:subscribe', { conversationId: direct.id });

    expect(conversation).toMatchObject({
      id: direct.id,
      type: 'direct',
      peer: { id: bob.userId },
      me: { role: expect.any(String) },
    });
    expect(roster.map(({ userId, status }) => `${userId} ${status}`).sort()).toEqual(
      [`${ada.userId} online`, `${bob.userId} online`].sort(),
    );
    expect(await client.ok('conversation:unsubscribe', { conversationId: direct.id })).toEqual({ ok: true });
    bob1.close();
  });

  it('given heads, when they are pinged, then a client that is behind or in other conversations is told to sync', async () => {
    const message = (await client.say(direct.id, 'head')).message;
    await client.hear('message:new', ({ seq }) => seq === message.seq);
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    const ping = (heads: Record<string, number>) => client.ok('presence:ping', { heads });
    const serverTime = expect.any(String);

    expect(await ping({ [direct.id]: message.seq })).toEqual({ ok: true, serverTime });
    expect(await ping({ [direct.id]: message.seq - 1 })).toEqual({ ok: true, serverTime, resync: true });
    expect(await ping({})).toEqual({ ok: true, serverTime, resync: true });
    expect(await ping({ [direct.id]: message.seq, [randomUUID()]: 3 })).toEqual({ ok: true, serverTime, resync: true });
  });

  it('given any payload for any event, when it is sent, then there is one answer with a known code and no 5xx', async () => {
    const conversationId = fc.constantFrom(direct.id, randomUUID(), direct.id.toUpperCase(), '');
    const nearly = fc.record(
      {
        conversationId: fc.oneof(conversationId, fc.jsonValue()),
        clientMsgId: fc.oneof(fc.uuid(), fc.jsonValue()),
        text: fc.oneof(fc.string({ unit: 'binary' }), fc.jsonValue()),
        messageId: fc.oneof(
          fc.integer().map((seq) => `${direct.id}:${seq}`),
          fc.jsonValue(),
        ),
        seq: fc.oneof(fc.integer(), fc.double(), fc.maxSafeInteger(), fc.jsonValue()),
        status: fc.constantFrom('online', 'away', 'offline', null),
        userIds: fc.array(fc.oneof(fc.uuid(), fc.constant(bob.userId), fc.jsonValue())),
        heads: fc.dictionary(fc.oneof(fc.uuid(), fc.constant('__proto__')), fc.integer()),
        cursors: fc.dictionary(fc.oneof(conversationId, fc.string()), fc.oneof(fc.integer(), fc.jsonValue())),
        limit: fc.integer(),
        token: fc.string(),
      },
      { requiredKeys: [] },
    );
    const payload = fc.oneof(
      nearly,
      fc.jsonValue(),
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...Object.keys(clientEvents)), payload, async (event, sent) => {
        const answer = (await client.socket.timeout(5_000).emitWithAck(event, sent)) as {
          ok: boolean;
          error?: { code: string; status: number; traceId: string };
        };
        if (answer.ok) return;
        expect(isErrorCode(answer.error?.code)).toBe(true);
        expect(answer.error?.status).toBeLessThan(500);
        expect(answer.error?.traceId).toMatch(/^[0-9a-f]{32}$/);
      }),
      { numRuns: 600 },
    );
    expect(client.socket.connected).toBe(true);
  }, 60_000);
});
