import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Me, User } from '@bluewave/api/objects';
import type { Person } from './support/caller.ts';
import { eventually } from './support/caller.ts';
import { type GatewayUnderTest, startGatewayUnderTest } from './support/gateway.ts';
import { type Services, startServices } from './support/services.ts';

type Page<T> = { items: T[]; nextCursor: string | null };

const absent = randomUUID();
const iso = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

describe('people and devices over REST', () => {
  let services: Services;
  let gateway: GatewayUnderTest;
  let alice: Person;
  let bob: Person;

  beforeAll(async () => {
    services = await startServices();
    gateway = await startGatewayUnderTest(services.addresses);
    [alice, bob] = await Promise.all([gateway.register('alice'), gateway.register('bob')]);
  }, 60_000);

  afterAll(async () => {
    await gateway?.close();
    await services?.close();
  }, 30_000);

  const call = <T = Record<string, unknown>>(person: Person, method: string, path: string, body?: unknown) =>
    gateway.call<T>(method, path, { token: person.accessToken, ...(body === undefined ? {} : { body }) });
  describe('accounts', () => {
    it('given a new person, when registered, then the session and the account are complete', async () => {
      expect(alice.user).toEqual({
        id: expect.any(String),
        username: expect.stringMatching(/^alice_/),
        displayName: 'alice of test',
        avatarUrl: null,
        bio: '',
        status: 'offline',
        lastSeenAt: null,
        createdAt: expect.stringMatching(iso),
        email: alice.email,
        phone: null,
        emailVerified: false,
        totpEnabled: false,
        settings: {},
      });
      const me = await call<Me>(alice, 'GET', '/users/me');
      expect({ status: me.status, body: me.body }).toEqual({ status: 200, body: alice.user });
      expect((await call<Me>(alice, 'GET', '/auth/me')).body).toEqual(alice.user);
    });

    it('given a password, when logged in, refreshed and logged out, then tokens rotate and end', async () => {
      const login = await gateway.call<Person>('POST', '/auth/login', {
        body: { identifier: bob.user.username, password: bob.password },
      });
      expect(login.status).toBe(200);
      const { refreshToken } = login.body;
      const refreshed = await gateway.call<Person>('POST', '/auth/refresh', { body: { refreshToken } });
      expect(refreshed.status).toBe(200);
      expect(Object.keys(refreshed.body).sort()).toEqual(['accessToken', 'deviceId', 'expiresIn', 'refreshToken']);
      expect(refreshed.body.refreshToken).not.toBe(refreshToken);

      const { accessToken: token } = refreshed.body;
      const logout = await gateway.call('POST', '/auth/logout', { token, body: {} });
      expect(logout.status).toBe(204);
      const after = await gateway.call('GET', '/users/me', { token });
      expect(after).toMatchObject({ status: 401, body: { code: 'SESSION_REVOKED' } });
    });

    it('given a wrong password, when logged in, then it is a problem with a code and a trace', async () => {
      const body = { identifier: alice.email, password: 'wrong horse battery' };
      const reply = await gateway.call('POST', '/auth/login', { body });
      expect(reply.status).toBe(401);
      expect(reply.headers.get('content-type')).toMatch(/^application\/problem\+json/);
      expect(reply.body).toEqual({
        type: 'urn:bluewave:error:invalid-credentials',
        title: expect.any(String),
        status: 401,
        code: 'INVALID_CREDENTIALS',
        detail: expect.any(String),
        traceId: reply.headers.get('x-trace-id'),
      });
    });

    it('given an unknown e-mail, when a code is asked for and used, then the account is made and logged in', async () => {
      const identifier = `${randomUUID()}@example.com`;
      const asked = await gateway.call<{ code: string }>('POST', '/auth/request-code', { body: { identifier } });
      expect(asked).toMatchObject({ status: 202, body: { code: expect.stringMatching(/^\d{6}$/) } });
      const { code } = asked.body;
      const wrong = code === '000000' ? '000001' : '000000';
      const guess = await gateway.call('POST', '/auth/verify-code', { body: { identifier, code: wrong } });
      expect(guess).toMatchObject({ status: 401, body: { code: 'INVALID_CODE' } });
      const right = await gateway.call<Person>('POST', '/auth/verify-code', { body: { identifier, code } });
      expect(right).toMatchObject({ status: 200, body: { user: { email: identifier } } });
    });

    it('given all sessions ended from one device, when another calls, then it is refused', async () => {
      const dora = await gateway.register('dora');
      const login = await gateway.call<Person>('POST', '/auth/login', {
        body: { identifier: dora.email, password: dora.password },
      });
      const other = login.body.accessToken;
      expect((await gateway.call('GET', '/users/me', { token: other })).status).toBe(200);
      expect((await call(dora, 'POST', '/auth/logout-all', {})).status).toBe(204);
      const refused = await eventually(async () => {
        const reply = await gateway.call('GET', '/users/me', { token: other });
        return reply.status === 401 ? reply : undefined;
      });
      expect(refused.body).toMatchObject({ code: 'SESSION_REVOKED' });
    });

    it('given people, when searched and read, then public profiles answer and absent ones are 404', async () => {
      const found = await call<Page<User>>(alice, 'GET', `/users/search?q=${bob.user.username.slice(0, 10)}`);
      expect(found).toMatchObject({ status: 200, body: { items: [{ id: bob.id }], nextCursor: null } });
      const profile = await call<User>(alice, 'GET', `/users/${bob.id}`);
      expect(profile.body).toEqual({
        id: bob.id,
        username: bob.user.username,
        displayName: 'bob of test',
        avatarUrl: null,
        bio: '',
        status: 'offline',
        lastSeenAt: null,
        createdAt: expect.stringMatching(iso),
      });
      expect(await call(alice, 'GET', `/users/${absent}`)).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
    });

    it('given keys, when asked for at the root, then anybody can verify tokens', async () => {
      const keys = await gateway.call<{ keys: { kid: string }[] }>('GET', `${gateway.url}/.well-known/jwks.json`);
      expect(keys).toMatchObject({
        status: 200,
        body: { keys: [{ kty: 'EC', crv: 'P-256', kid: expect.any(String) }] },
      });
    });
  });

  describe('devices', () => {
    it('given a device, when named and given a push token, then the list tells both, and forgets them', async () => {
      const eve = await gateway.register('eve');
      const path = `/devices/${eve.deviceId}`;
      const named = await call(eve, 'PUT', path, { name: 'Eve’s phone', platform: 'ios', appVersion: '2.1' });
      const device = { id: eve.deviceId, name: 'Eve’s phone', platform: 'ios', appVersion: '2.1', current: true };
      expect(named).toMatchObject({ status: 200, body: { ...device, push: null } });
      const token = { provider: 'fcm', token: `token-${randomUUID()}` };
      expect((await call(eve, 'PUT', `${path}/push-token`, token)).status).toBe(204);
      const listed = await call<Page<unknown>>(eve, 'GET', '/devices');
      expect(listed.body).toEqual({
        items: [{ ...device, lastSeenAt: expect.stringMatching(iso), push: { provider: 'fcm' } }],
        nextCursor: null,
      });
      expect((await call(eve, 'DELETE', `${path}/push-token`)).status).toBe(204);
      expect((await call<Page<unknown>>(eve, 'GET', '/devices')).body.items).toMatchObject([{ push: null }]);
      expect(await call(bob, 'PUT', `${path}/push-token`, token)).toMatchObject({ status: 404 });
      expect(await call(bob, 'DELETE', path)).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
    });
  });

  describe('the platform', () => {
    it('given everything is there, when asked, then health, limits and documents answer', async () => {
      const health = await gateway.call('GET', '/health');
      const up = { auth: 'up', chat: 'up', media: 'up', push: 'up', redis: 'up', nats: 'up' };
      expect(health).toMatchObject({ status: 200, body: { status: 'ok', parts: up } });
      expect((await gateway.call('GET', '/limits')).body).toMatchObject({
        textCharacters: 4000,
        messagesPerMinute: 60,
      });
      expect((await gateway.call('GET', '/openapi.json')).body).toMatchObject({ openapi: '3.1.0' });
      expect((await gateway.call('GET', '/asyncapi.json')).body).toMatchObject({ asyncapi: '3.0.0' });
      for (const path of ['/healthz', '/readyz']) {
        expect((await gateway.call('GET', `${gateway.url}${path}`)).status).toBe(200);
      }
      const test = await call<{ accepted: number }>(alice, 'POST', '/push/test', {});
      expect(test).toMatchObject({ status: 200, body: { accepted: 0 } });
    });
  });
});
