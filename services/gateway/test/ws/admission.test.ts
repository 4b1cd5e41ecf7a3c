import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { World } from './world.ts';

describe('connecting', () => {
  let world: World;
  const redis = new Redis(process.env['TEST_REDIS_URL'] ?? '');
  beforeAll(async () => {
    world = await World.start({ gateways: 2, accessSeconds: 900, corsOrigins: ['https://app.example.com'] });
  }, 30_000);
  afterAll(async () => {
    await world.close();
    redis.disconnect();
  }, 30_000);

  it.each([
    ['no token', undefined, 'UNAUTHENTICATED'],
    ['an empty token', '', 'UNAUTHENTICATED'],
    ['a token that is no string', { $gt: '' }, 'UNAUTHENTICATED'],
    ['nonsense', 'nonsense', 'TOKEN_INVALID'],
    ['an unsigned token', 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.', 'TOKEN_INVALID'],
    ['a token of 10,000 characters', 'x'.repeat(10_000), 'TOKEN_INVALID'],
  ])('given %s, when a client connects, then it is refused with a problem', async (_name, token, code) => {
    const problem = await world.client(token).refused();

    expect(problem).toEqual({
      type: `urn:bluewave:error:${code.toLowerCase().replaceAll('_', '-')}`,
      title: expect.any(String),
      status: 401,
      code,
      detail: expect.any(String),
      traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
  });

  it('given ten open sockets, when the same user opens another, then it is refused until one is closed', async () => {
    const ada = await world.person('ada');
    const clients = await Promise.all(Array.from({ length: 10 }, (_, n) => world.connect(ada, n % 2)));
    const holds = async (count: number): Promise<void> => {
      const key = `bluewave:presence:{${ada.userId}}`;
      const held = async () => (await redis.hkeys(key)).filter((field) => field.includes('/')).length;
      for (let waited = 0; (await held()) !== count && waited < 5_000; waited += 50) await pause(50);
    };
    await holds(10);

    const problem = await world.client(ada.accessToken).refused();
    expect(problem).toMatchObject({ code: 'TOO_MANY_CONNECTIONS', status: 429, retryAfterMs: expect.any(Number) });

    clients[0]?.close();
    await holds(9);
    await world.connect(ada);
  });

  it('given origins, when pages connect, then only listed ones, the own host and native clients are let in', async () => {
    const ada = await world.person('ada');
    const handshake = (origin?: string) =>
      fetch(`${world.url()}/socket.io/?EIO=4&transport=polling`, { headers: origin === undefined ? {} : { origin } });

    const [listed, own, native, foreign] = await Promise.all([
      handshake('https://app.example.com'),
      handshake(world.url()),
      handshake(),
      handshake('https://evil.example.com'),
    ]);

    expect([listed.status, own.status, native.status, foreign.status]).toEqual([200, 200, 200, 403]);
    expect(await foreign.json()).toEqual({ code: 4, message: 'ORIGIN_REFUSED' });
    expect(listed.headers.get('access-control-allow-origin')).toBe('https://app.example.com');
    await world.connect(ada, 0, { origin: 'https://app.example.com' });
    await expect(world.client(ada.accessToken, 0, { origin: 'https://evil.example.com' }).connected()).rejects.toThrow(
      'websocket error',
    );
  });

  it('given sockets on two gateways, when the session ends, then all of its sockets hear it and are cut within 1 s', async () => {
    const ada = await world.person('ada');
    const other = await world.ok<typeof ada>('POST', '/auth/login', undefined, {
      identifier: ada.user.username,
      password: 'a long enough password',
    });
    const clients = await Promise.all([world.connect(ada, 0), world.connect(ada, 1)]);
    const survivor = await world.connect({ ...other, userId: ada.userId }, 1);

    await world.ok('POST', '/auth/logout', ada.accessToken, {});

    for (const client of clients) {
      await client.hear('disconnect', () => true, 1_000);
      expect(client.heard.map(({ event }) => event)).toEqual(['session:revoked', 'disconnect']);
      expect(client.disconnects).toEqual([{ reason: 'io server disconnect', code: undefined }]);
    }
    expect(await world.client(ada.accessToken).refused()).toMatchObject({ code: 'SESSION_REVOKED' });
    expect(await survivor.ok('presence:ping', {})).toMatchObject({ ok: true });
  });

  it('given chat away, when a client connects, then it is refused as retryable within 3 s and let in later', async () => {
    const ada = await world.person('ada');
    const port = world.chat.grpcPort;
    await world.chat.close();

    const startedAt = Date.now();
    const problem = await world.client(ada.accessToken).refused();
    const tookMs = Date.now() - startedAt;
    world.chat = await world.startChat(port);

    expect(problem).toMatchObject({ code: 'UNAVAILABLE', status: 503, retryAfterMs: expect.any(Number) });
    expect(tookMs).toBeLessThan(3_000);
    await pause(1_500);
    await world.connect(ada);
  });
});
