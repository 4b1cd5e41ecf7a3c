import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort } from '@bluewave/dev-env/net/free-port';
import { AppError } from '@bluewave/errors/app-error';
import type { RpcServer } from '@bluewave/rpc/server';
import { type GatewayUnderTest, startGatewayUnderTest } from './support/gateway.ts';
import { startScriptedAuth, startScriptedChat } from './support/peers.ts';
import { startServices } from './support/services.ts';
import { jwksOf, makeKey, signToken } from './support/tokens.ts';

const key = makeKey();
const token = signToken(key);
const conversationId = randomUUID();
const hang = () => new Promise<never>(() => undefined);

describe('a gateway whose peers are away', () => {
  const closers: (() => Promise<unknown>)[] = [];
  const closing = <T extends { close(): Promise<unknown> }>(one: T): T => {
    closers.push(() => one.close());
    return one;
  };

  afterEach(async () => {
    for (let close = closers.pop(); close; close = closers.pop()) await close();
  }, 30_000);

  const keys = { GetKeys: () => Promise.resolve({ jwksJson: jwksOf(key) }) };
  const withAuth = async (change: Record<string, string> = {}): Promise<GatewayUnderTest> => {
    const auth = closing(await startScriptedAuth(keys));
    return closing(await startGatewayUnderTest({ AUTH_ADDRESS: `127.0.0.1:${auth.port}`, ...change }));
  };

  it('given nobody behind it, when called, then it is ready, says what is down, and refuses as retryable', async () => {
    const gateway = closing(
      await startGatewayUnderTest({ NATS_URL: 'nats://127.0.0.1:1', REDIS_URL: 'redis://127.0.0.1:1' }),
    );
    expect((await gateway.call('GET', `${gateway.url}/readyz`)).status).toBe(200);
    const down = { auth: 'down', chat: 'down', media: 'down', push: 'down', redis: 'down', nats: 'down' };
    expect(await gateway.call('GET', '/health')).toMatchObject({ status: 200, body: { status: 'ok', parts: down } });
    const login = { identifier: 'ada', password: 'correct horse battery' };
    for (const reply of [
      await gateway.call('POST', '/auth/login', { body: login }),
      await gateway.call('GET', '/users/me', { token }),
      await gateway.call('GET', `${gateway.url}/.well-known/jwks.json`),
    ]) {
      expect(reply).toMatchObject({ status: 503, body: { code: 'UNAVAILABLE', retryAfterMs: expect.any(Number) } });
      expect(Number(reply.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    }
  });

  it('given chat and auth that come a moment later, when it has patience, then it is ready only with them', async () => {
    const [authPort, chatPort] = [await freePort(), await freePort()];
    const addresses = { AUTH_ADDRESS: `127.0.0.1:${authPort}`, CHAT_ADDRESS: `localhost:${chatPort}` };
    let isReady = false;
    const starting = startGatewayUnderTest({ ...addresses, START_PATIENCE_SECONDS: '90' }).then((gateway) => {
      isReady = true;
      return closing(gateway);
    });
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(isReady).toBe(false);
    closing(await startScriptedAuth(keys, authPort));
    closing(await startScriptedChat({}, () => 'silence', chatPort));
    const gateway = await starting;
    expect((await gateway.call('GET', '/health')).body).toMatchObject({ parts: { auth: 'up', chat: 'up' } });
    expect((await gateway.call('POST', '/sync', { token, body: {} })).body).toMatchObject({
      code: 'VALIDATION_FAILED',
    });
  }, 30_000);

  it('given auth that went away, when tokens it signed come, then they go on working', async () => {
    const auth = await startScriptedAuth(keys);
    const gateway = closing(await startGatewayUnderTest({ AUTH_ADDRESS: `127.0.0.1:${auth.port}` }));
    const attempt = (one: string) => gateway.call('POST', '/sync', { token: one, body: {} });
    expect((await attempt(token)).status).toBe(400);
    await auth.close();
    expect((await attempt(signToken(key))).body).toMatchObject({ code: 'VALIDATION_FAILED' });
    // Auth is not asked for unknown keys all the time: a second later it is.
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    expect((await attempt(signToken(makeKey()))).body).toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('given a chat that hangs, when called, then every answer comes within the deadline', async () => {
    const chat = closing(await startScriptedChat({ GetConversation: hang, Sync: hang }));
    const gateway = await withAuth({ CHAT_ADDRESS: `127.0.0.1:${chat.port}` });
    const started = Date.now();
    const replies = await Promise.all([
      gateway.call('GET', `/conversations/${conversationId}`, { token }),
      gateway.call('POST', '/sync', { token, body: { cursors: {} } }),
      gateway.call('POST', `/conversations/${conversationId}/messages`, {
        token,
        body: { clientMsgId: randomUUID(), text: 'hello' },
      }),
    ]);
    expect(Date.now() - started).toBeLessThan(3_500);
    for (const reply of replies) expect(reply).toMatchObject({ status: 504, body: { code: 'DEADLINE_EXCEEDED' } });
  });

  it('given a chat that fails inside, when called, then the caller learns no more than that', async () => {
    const chat = closing(
      await startScriptedChat({ GetConversation: () => Promise.reject(new Error('password=hunter2')) }),
    );
    const gateway = await withAuth({ CHAT_ADDRESS: `127.0.0.1:${chat.port}` });
    const reply = await gateway.call('GET', `/conversations/${conversationId}`, { token });
    expect(reply).toMatchObject({ status: 500, body: { code: 'INTERNAL' } });
    expect(JSON.stringify(reply.body)).not.toContain('hunter2');
  });

  it('given a chat that refuses with a reason, when called, then reason, detail and time reach the caller', async () => {
    const refusal = new AppError('RATE_LIMITED', 'Too fast in this room.', { retryAfterMs: 7_000 });
    const chat = closing(await startScriptedChat({ GetConversation: () => Promise.reject(refusal) }));
    const gateway = await withAuth({ CHAT_ADDRESS: `127.0.0.1:${chat.port}` });
    const reply = await gateway.call('GET', `/conversations/${conversationId}`, { token });
    expect(reply).toMatchObject({
      status: 429,
      body: { code: 'RATE_LIMITED', detail: 'Too fast in this room.', retryAfterMs: 7_000 },
    });
    expect(reply.headers.get('retry-after')).toBe('7');
  });

  describe('with real services', () => {
    let services: Awaited<ReturnType<typeof startServices>>;
    beforeAll(async () => {
      services = await startServices();
    }, 60_000);
    afterAll(() => services?.close(), 30_000);

    it('given push and media away, when people log out and read, then they do not notice', async () => {
      const away = { PUSH_ADDRESS: '127.0.0.1:1', MEDIA_ADDRESS: '127.0.0.1:1' };
      const gateway = closing(await startGatewayUnderTest({ ...services.addresses, ...away }));
      const ada = await gateway.register('ada');
      const devices = await gateway.call('GET', '/devices', { token: ada.accessToken });
      expect(devices).toMatchObject({ status: 200, body: { items: [{ id: ada.deviceId, push: null }] } });
      expect((await gateway.call('GET', '/conversations', { token: ada.accessToken })).status).toBe(200);
      expect((await gateway.call('POST', '/auth/logout', { token: ada.accessToken, body: {} })).status).toBe(204);
    });

    it('given auth away, when members are listed, then what is known of them is told', async () => {
      const proxied = closing(await startGatewayUnderTest(services.addresses));
      const [ada, bob] = [await proxied.register('ada'), await proxied.register('bob')];
      const group = { type: 'group', name: 'Dark', memberIds: [bob.id] };
      const made = await proxied.call<{ id: string }>('POST', '/conversations', {
        token: ada.accessToken,
        body: group,
      });
      const without = closing(await startGatewayUnderTest(services.addresses));
      expect((await without.call('GET', '/conversations', { token: ada.accessToken })).status).toBe(200);
      await services.auth.close();
      const members = await without.call<{ items: unknown[] }>('GET', `/conversations/${made.body.id}/members`, {
        token: ada.accessToken,
      });
      expect(members.status).toBe(200);
      expect(members.body.items).toEqual(
        expect.arrayContaining([
          expect.objectContaining({ user: expect.objectContaining({ id: ada.id, displayName: 'ada of test' }) }),
          expect.objectContaining({ user: expect.objectContaining({ id: bob.id, username: '' }) }),
        ]),
      );
      const messages = await without.call('GET', `/conversations/${made.body.id}/messages`, { token: ada.accessToken });
      expect(messages.status).toBe(200);
    });
  });

  it('given a request under way, when the gateway closes, then it is answered and the connection ends', async () => {
    let asked: () => void = () => undefined;
    const arrived = new Promise<void>((resolve) => (asked = resolve));
    const slow = async (): Promise<never> => {
      asked();
      await new Promise((resolve) => setTimeout(resolve, 400));
      throw new AppError('NOT_FOUND', 'Late, but answered.');
    };
    const chat: RpcServer = closing(await startScriptedChat({ GetConversation: slow }));
    const auth = closing(await startScriptedAuth(keys));
    const addresses = { AUTH_ADDRESS: `127.0.0.1:${auth.port}`, CHAT_ADDRESS: `127.0.0.1:${chat.port}` };
    const gateway = await startGatewayUnderTest(addresses);
    const request = gateway.call('GET', `/conversations/${conversationId}`, { token });
    await arrived;
    const started = Date.now();
    const closed = gateway.close();
    expect(await request).toMatchObject({ status: 404, body: { detail: 'Late, but answered.' } });
    await closed;
    expect(Date.now() - started).toBeLessThan(15_000);
    await expect(gateway.call('GET', '/limits')).rejects.toThrow('fetch failed');
  }, 30_000);
});
