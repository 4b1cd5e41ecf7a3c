import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import jwt from 'jsonwebtoken';
import { type GatewayUnderTest, startGatewayUnderTest } from './support/gateway.ts';
import { startScriptedAuth } from './support/peers.ts';
import { jwksOf, makeKey, signToken } from './support/tokens.ts';

const key = makeKey();
const allowed = 'https://app.example.com';

describe('the door itself', () => {
  let auth: Awaited<ReturnType<typeof startScriptedAuth>>;
  let gateway: GatewayUnderTest;

  beforeAll(async () => {
    auth = await startScriptedAuth({ GetKeys: () => Promise.resolve({ jwksJson: jwksOf(key) }) });
    gateway = await startGatewayUnderTest({ AUTH_ADDRESS: `127.0.0.1:${auth.port}`, CORS_ORIGINS: allowed });
  });

  afterAll(async () => {
    await gateway?.close();
    await auth?.close();
  });

  const token = signToken(key);
  const post = (path: string, body: string, headers: Record<string, string> = {}) =>
    gateway.call('POST', path, { token, body, headers });

  describe('paths and methods', () => {
    it('given a path that is not served, when called, then it is a 404 problem', async () => {
      for (const path of ['/nothing', '/users/me/nothing', `${gateway.url}/`, `${gateway.url}/api/v2/users/me`]) {
        const reply = await gateway.call('GET', path, { token });
        expect(reply).toMatchObject({ status: 404, body: { code: 'NOT_FOUND', status: 404 } });
        expect(reply.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
      }
    });

    it('given a path that is served, when called by another method, then it is 405 and says which there are', async () => {
      const reply = await gateway.call('DELETE', '/auth/login', { token });
      expect(reply).toMatchObject({ status: 405, body: { code: 'METHOD_NOT_ALLOWED' } });
      expect(reply.headers.get('allow')).toBe('POST, OPTIONS');
      const asked = await gateway.call('OPTIONS', '/conversations');
      expect([asked.status, asked.headers.get('allow')]).toEqual([204, 'POST, GET, HEAD, OPTIONS']);
    });

    it('given a path that cannot be decoded, when called, then it is refused', async () => {
      const reply = await gateway.call('GET', '/users/%E0%A4%A', { token });
      expect(reply).toMatchObject({ status: 400, body: { code: 'VALIDATION_FAILED' } });
    });
  });

  describe('bodies', () => {
    it('given what is no JSON, when sent, then it is MALFORMED_JSON', async () => {
      for (const body of ['{', '{"a":1,}', 'nonsense', '{"a":\u0001}']) {
        expect(await post('/sync', body)).toMatchObject({ status: 400, body: { code: 'MALFORMED_JSON' } });
      }
    });

    it('given another content type or none, when sent, then it is 415', async () => {
      for (const type of ['text/plain', 'application/xml', 'application/jsonx', 'application/json; charset=latin1']) {
        const reply = await post('/sync', '{"cursors":{}}', { 'content-type': type });
        expect(reply).toMatchObject({ status: 415, body: { code: 'UNSUPPORTED_MEDIA_TYPE' } });
      }
      const encoded = await post('/sync', '{}', { 'content-encoding': 'zstd' });
      expect(encoded).toMatchObject({ status: 415, body: { code: 'UNSUPPORTED_MEDIA_TYPE' } });
    });

    it('given more than 64 KiB, when sent, then it is 413', async () => {
      const reply = await post('/sync', JSON.stringify({ token: 'x'.repeat(65 * 1024) }));
      expect(reply).toMatchObject({ status: 413, body: { code: 'PAYLOAD_TOO_LARGE' } });
    });

    it('given wrong and unknown fields, when sent, then each is named', async () => {
      const body = {
        email: 'no',
        username: '!',
        password: 'short',
        extra: 1,
        device: { name: 'x', platform: 'toaster', y: 1 },
      };
      const reply = await gateway.call<{ errors: { path: string; code: string }[] }>('POST', '/auth/register', {
        body,
      });
      expect(reply).toMatchObject({ status: 400, body: { code: 'VALIDATION_FAILED' } });
      expect(reply.body.errors.map(({ path, code }) => `${path} ${code}`).sort()).toEqual([
        'device.platform invalid_value',
        'device.y unrecognized_keys',
        'email invalid_format',
        'extra unrecognized_keys',
        'password custom',
        'username invalid_format',
      ]);
    });

    it('given unknown or repeated query keys and a body where none belongs, when sent, then they are refused', async () => {
      const refused = (path: string, method = 'GET', body?: unknown) =>
        gateway.call(method, path, { token, ...(body === undefined ? {} : { body }) });
      const validation = { status: 400, body: { code: 'VALIDATION_FAILED' } };
      expect(await refused('/users/search?q=a&q[$ne]=b')).toMatchObject(validation);
      expect(await refused('/users/search?q=a&q=b')).toMatchObject(validation);
      expect(await refused('/users/me?expand=all')).toMatchObject(validation);
      expect(await refused('/conversations?limit=0')).toMatchObject(validation);
      expect(
        await refused(`/devices/${'0'.repeat(8)}-0000-7000-8000-000000000000`, 'DELETE', { force: true }),
      ).toMatchObject(validation);
    });
  });

  describe('tokens', () => {
    const call = (authorization?: string) =>
      gateway.call('POST', '/sync', { body: { cursors: 'wrong' }, headers: authorization ? { authorization } : {} });
    const code = async (authorization?: string) => {
      const { status, body, headers } = await call(authorization);
      if (status === 401) expect(headers.get('www-authenticate')).toBe('Bearer');
      return `${status} ${String(body['code'])}`;
    };
    const past = Math.floor(Date.now() / 1_000) - 10;

    it('given a good one, when sent, then the request is looked at', async () => {
      expect(await code(`Bearer ${token}`)).toBe('400 VALIDATION_FAILED');
      expect(await code(`bearer ${signToken(key, { header: { typ: 'application/at+jwt' } })}`)).toBe(
        '400 VALIDATION_FAILED',
      );
    });

    it('given none, when sent, then it is UNAUTHENTICATED', async () => {
      expect(await code()).toBe('401 UNAUTHENTICATED');
    });

    it('given an expired one, when sent, then it says so', async () => {
      expect(await code(`Bearer ${signToken(key, { claims: { exp: past } })}`)).toBe('401 TOKEN_EXPIRED');
    });

    it('given forged and foreign ones, when sent, then each is TOKEN_INVALID', async () => {
      const [head, claims, signature] = token.split('.') as [string, string, string];
      const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
      const publicPem = jwksOf(key);
      const forged = [
        'Basic YWRhOmFkYQ==',
        'Bearer',
        'Bearer a.b.c',
        `Bearer ${'x'.repeat(9_000)}`,
        `Bearer ${head}.${claims}.${signature.slice(2)}AA`,
        `Bearer ${head}.${encode({ sub: 'admin' })}.${signature}`,
        `Bearer ${encode({ alg: 'none', typ: 'at+jwt', kid: key.kid })}.${claims}.`,
        `Bearer ${encode({ alg: 'ES256', typ: 1, kid: key.kid })}.${claims}.${signature}`,
        `Bearer ${encode({ alg: 'ES256', typ: 'at+jwt', kid: { $ne: 1 } })}.${claims}.${signature}`,
        `Bearer ${encode(null)}.${claims}.${signature}`,
        `Bearer ${jwt.sign({ sub: 'x' }, publicPem, { algorithm: 'HS256', header: { alg: 'HS256', typ: 'at+jwt', kid: key.kid } })}`,
        `Bearer ${signToken(makeKey())}`,
        `Bearer ${signToken({ ...makeKey(), kid: key.kid })}`,
        `Bearer ${signToken(key, { claims: { aud: 'elsewhere' } })}`,
        `Bearer ${signToken(key, { claims: { iss: 'elsewhere' } })}`,
        `Bearer ${signToken(key, { claims: { sub: 7 } })}`,
        `Bearer ${signToken(key, { claims: { sid: undefined } })}`,
        `Bearer ${signToken(key, { header: { typ: 'JWT' } })}`,
      ];
      for (const one of forged) expect([one, await code(one)]).toEqual([one, '401 TOKEN_INVALID']);
    });
  });

  describe('headers', () => {
    it('given a traceparent, when called, then its trace is answered; else a new one', async () => {
      const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
      const headers = { traceparent: `00-${trace}-00f067aa0ba902b7-01` };
      const given = await gateway.call('GET', '/limits', { headers });
      expect(given.headers.get('x-trace-id')).toBe(trace);
      const problem = await gateway.call('GET', '/users/me', { headers });
      expect(problem.body['traceId']).toBe(trace);
      const without = await gateway.call('GET', '/limits', { headers: { traceparent: 'junk' } });
      expect(without.headers.get('x-trace-id')).toMatch(/^[0-9a-f]{32}$/);
    });

    it('given any answer, when read, then it forbids framing, sniffing and tells no software', async () => {
      const { headers } = await gateway.call('GET', '/limits');
      expect(headers.get('x-frame-options')).toBe('SAMEORIGIN');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('content-security-policy')).toBe("default-src 'none';frame-ancestors 'self'");
      expect(headers.get('x-powered-by')).toBeNull();
      expect(headers.get('cache-control')).toBe('no-store');
    });

    it('given browsers of two origins, when they ask before a call, then only the listed one may', async () => {
      const ask = async (origin: string) => {
        const headers = {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'authorization',
        };
        const { status, headers: answered } = await gateway.call('OPTIONS', '/sync', { headers });
        return [status, answered.get('access-control-allow-origin'), answered.get('access-control-allow-credentials')];
      };
      expect(await ask(allowed)).toEqual([204, allowed, null]);
      expect(await ask('https://evil.example.com')).toEqual([204, null, null]);
    });

    it('given a long answer and a client that takes gzip, when read, then it is compressed', async () => {
      const reply = await gateway.call('GET', '/openapi.json', { headers: { 'accept-encoding': 'gzip' } });
      expect(reply.headers.get('content-encoding')).toBe('gzip');
    });
  });

  describe('documentation', () => {
    it('given a browser, when /docs is opened, then everything it names is served from here under a strict policy', async () => {
      const page = await gateway.call<string>('GET', `${gateway.url}/docs`);
      expect(page.status).toBe(200);
      expect(page.headers.get('content-security-policy')).toContain("script-src 'self';");
      const named = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? '');
      expect(named).toEqual(
        expect.arrayContaining(['/docs/events', '/docs/assets/swagger-ui-bundle.js', '/docs/start.js']),
      );
      for (const path of named) {
        expect(path).toMatch(/^\//);
        expect([path, (await gateway.call('GET', `${gateway.url}${path}`)).status]).toEqual([path, 200]);
      }
      expect(page.body).not.toMatch(/<script>|onload=|https?:/);
    });

    it('given the page of events, when read, then it shows every event of the socket', async () => {
      const { body } = await gateway.call<string>('GET', `${gateway.url}/docs/events`);
      for (const event of ['message:send', 'presence:ping', 'sync', 'message:new', 'receipt', 'server:draining']) {
        expect(body).toContain(`<section id="${event}">`);
      }
    });

    it('given names outside of the list of assets, when asked, then there is nothing', async () => {
      for (const file of ['package.json', '..%2fpackage.json', '__proto__', 'index.html']) {
        expect((await gateway.call('GET', `${gateway.url}/docs/assets/${file}`)).status).toBe(404);
      }
    });
  });

  it('given what is no HTTP, when written to the port, then it is refused and the connection ends', async () => {
    const port = Number(new URL(gateway.url).port);
    const raw = (text: string) =>
      new Promise<string>((resolve, reject) => {
        const socket = connect(port, '127.0.0.1', () => socket.write(text));
        let answer = '';
        socket.on('data', (data) => (answer += data.toString()));
        socket.on('error', reject);
        socket.on('close', () => resolve(answer));
      });
    expect(await raw('hello there\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 [^]*problem\+json[^]*"VALIDATION_FAILED"/);
    expect(await raw(`GET / HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 431 /);
  });
});
