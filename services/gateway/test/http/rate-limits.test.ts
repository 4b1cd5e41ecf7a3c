import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Message } from '@bluewave/api/objects';
import { insistently, type Person } from './support/caller.ts';
import { type GatewayUnderTest, startGatewayUnderTest } from './support/gateway.ts';
import { type Services, startServices } from './support/services.ts';

/** An address of its own for each run: counters are shared by everybody who uses this Redis. */
const address = () => `10.${[0, 0, 0].map(() => Math.floor(Math.random() * 256)).join('.')}`;

describe('rate limits', () => {
  let services: Services;
  let open: GatewayUnderTest;
  let gateway: GatewayUnderTest;
  let second: GatewayUnderTest;
  let blind: GatewayUnderTest;
  let alice: Person;
  let conversationId: string;

  beforeAll(async () => {
    services = await startServices();
    // On a busy machine Redis may answer late, and then each gateway counts alone.
    const limited = {
      ...services.addresses,
      ...{ RATE_LIMITS: 'on', TRUSTED_PROXIES: 'loopback', REDIS_COMMAND_MS: '5000' },
    };
    [open, gateway, second, blind] = await Promise.all([
      startGatewayUnderTest(services.addresses),
      startGatewayUnderTest(limited),
      startGatewayUnderTest(limited),
      startGatewayUnderTest({ ...limited, REDIS_URL: 'redis://127.0.0.1:1' }),
    ]);
    alice = await open.register('alice');
    const group = { type: 'group', name: 'Limits', memberIds: [] };
    const made = await open.call<{ id: string }>('POST', '/conversations', { token: alice.accessToken, body: group });
    conversationId = made.body.id;
  }, 60_000);

  afterAll(async () => {
    await Promise.all([open, gateway, second, blind].map((one) => one?.close()));
    await services?.close();
  }, 30_000);

  /** A repeat of the same message does not count again. */
  const send = (door: GatewayUnderTest, person = alice, id = conversationId) => {
    const body = { clientMsgId: randomUUID(), text: 'again' };
    const headers = { 'x-forwarded-for': address() };
    return insistently(() =>
      door.call<{ message: Message }>('POST', `/conversations/${id}/messages`, {
        token: person.accessToken,
        headers,
        body,
      }),
    );
  };

  it('given messages over two gateways, when 60 of a minute are sent, then both refuse more and say when', async () => {
    const started = Date.now();
    const sent = await Promise.all(Array.from({ length: 75 }, (_, index) => send(index % 2 ? gateway : second)));
    const accepted = sent.filter(({ status }) => status === 201 || status === 200).length;
    const refused = sent.filter(({ status }) => status === 429);
    expect(sent.filter(({ status }) => ![200, 201, 429].includes(status)).map(({ body }) => body)).toEqual([]);
    expect(accepted + refused.length).toBe(75);
    // One a second becomes free again while the test runs.
    expect(accepted).toBeGreaterThanOrEqual(60);
    expect(accepted).toBeLessThanOrEqual(61 + (Date.now() - started) / 1_000);
    for (const { headers, body } of refused) {
      expect(body).toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: expect.any(Number) });
      const seconds = Number(headers.get('retry-after'));
      expect(seconds).toBeGreaterThanOrEqual(1);
      expect(seconds).toBeLessThanOrEqual(62);
      expect(headers.get('ratelimit-limit')).toBe('60');
      expect(headers.get('ratelimit-remaining')).toBe('0');
    }
    const elsewhere = await gateway.call('GET', '/users/me', { token: alice.accessToken });
    expect(elsewhere.status).toBe(200);
    expect(elsewhere.headers.get('ratelimit-limit')).toBe('1200');
  });

  it('given limits that are lifted, when many messages are sent, then all are taken', async () => {
    const sent = await Promise.all(Array.from({ length: 70 }, () => send(open)));
    expect(new Set(sent.map(({ status }) => status))).toEqual(new Set([201]));
    expect(sent[0]?.headers.get('ratelimit-limit')).toBeNull();
  });

  it('given one address that guesses, when it has asked 300 times, then it waits and another one does not', async () => {
    const login = (from: string) =>
      gateway.call('POST', '/auth/login', { body: {}, headers: { 'x-forwarded-for': from } });
    const guesser = address();
    const replies = await Promise.all(Array.from({ length: 310 }, () => login(guesser)));
    const refused = replies.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length).toBeLessThanOrEqual(10);
    expect(refused[0]).toMatchObject({ body: { code: 'RATE_LIMITED', retryAfterMs: expect.any(Number) } });
    expect((await login(address())).status).toBe(400);
  });

  it('given no Redis, when people log in, then they are refused; when they send, then a local limit counts', async () => {
    const login = await blind.call('POST', '/auth/login', {
      body: { identifier: alice.email, password: alice.password },
    });
    expect(login).toMatchObject({ status: 503, body: { code: 'UNAVAILABLE' } });
    expect(login.headers.get('retry-after')).toBe('1');
    const bob = await open.register('bob');
    const group = { type: 'group', name: 'Local', memberIds: [] };
    const made = await blind.call<{ id: string }>('POST', '/conversations', { token: bob.accessToken, body: group });
    expect(made.status).toBe(201);
    const sent = await Promise.all(Array.from({ length: 75 }, () => send(blind, bob, made.body.id)));
    const refused = sent.filter(({ status }) => status === 429).length;
    expect(sent.filter(({ status }) => status === 201).length + refused).toBe(75);
    // A window may roll over in between; the sliding one lets through only what the old one freed.
    expect(refused).toBeGreaterThan(0);
    const profile = await blind.call('GET', '/users/me', { token: bob.accessToken });
    expect(profile).toMatchObject({ status: 200, body: { status: 'offline', lastSeenAt: null } });
  });
});
