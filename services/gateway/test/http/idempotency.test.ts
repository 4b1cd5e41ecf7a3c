import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { closeRedis, connectRedis } from '@bluewave/redis/connect';
import type { Person } from './support/caller.ts';
import { type GatewayUnderTest, startGatewayUnderTest } from './support/gateway.ts';
import { environmentOf, log, type Services, startServices } from './support/services.ts';

describe('Idempotency-Key', () => {
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

  const make = (person: Person, key: string, name: string, door = gateway) =>
    door.call('POST', '/conversations', {
      token: person.accessToken,
      headers: { 'idempotency-key': key },
      body: { type: 'group', name, memberIds: [] },
    });

  it('given a key, when the request is repeated, then the first answer comes again and nothing happens twice', async () => {
    const key = randomUUID();
    const first = await make(alice, key, 'Once');
    const again = await make(alice, key, 'Once');
    expect(first.status).toBe(201);
    expect(first.headers.get('idempotency-replayed')).toBeNull();
    expect({ status: again.status, body: again.body }).toEqual({ status: 201, body: first.body });
    expect(again.headers.get('idempotency-replayed')).toBe('true');
  });

  it('given a key, when another body comes with it, then it is a mismatch', async () => {
    const key = randomUUID();
    await make(alice, key, 'One');
    expect(await make(alice, key, 'Two')).toMatchObject({ status: 409, body: { code: 'IDEMPOTENCY_MISMATCH' } });
  });

  it('given one key of two people, when both use it, then each has an answer of their own', async () => {
    const key = randomUUID();
    const [one, two] = [await make(alice, key, 'Mine'), await make(bob, key, 'Mine')];
    expect([one.status, two.status]).toEqual([201, 201]);
    expect(one.body['id']).not.toBe(two.body['id']);
  });

  it('given a key, when used by many requests at once, then one is served and the others wait for it', async () => {
    const key = randomUUID();
    const replies = await Promise.all(Array.from({ length: 8 }, () => make(alice, key, 'Together')));
    const ids = new Set(replies.filter(({ status }) => status === 201).map(({ body }) => body['id']));
    const others = replies.filter(({ status }) => status !== 201);
    expect(ids.size).toBe(1);
    for (const { status, body } of others) expect([status, body['code']]).toEqual([409, 'REQUEST_IN_PROGRESS']);
  });

  it('given a refusal that stays one, when repeated, then it is answered from what was kept', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const body = { type: 'direct', userId: randomUUID() };
    const ask = () => gateway.call('POST', '/conversations', { token: alice.accessToken, headers, body });
    const [first, again] = [await ask(), await ask()];
    expect(first).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
    expect(again).toMatchObject({ status: 404, body: { code: 'NOT_FOUND', detail: first.body['detail'] } });
  });

  it('given a registration, when repeated with its key, then the same session is answered', async () => {
    const username = `rep_${randomUUID().slice(0, 8)}`;
    const body = { email: `${username}@example.com`, username, password: 'correct horse battery' };
    const headers = { 'idempotency-key': randomUUID() };
    const ask = () => gateway.call('POST', '/auth/register', { body, headers });
    const [first, again] = [await ask(), await ask()];
    expect(first.status).toBe(201);
    expect({ status: again.status, body: again.body }).toEqual({ status: 201, body: first.body });
  });

  it('given what is kept, when the store is read, then it holds no content', async () => {
    const secret = `secret ${randomUUID()}`;
    await make(alice, randomUUID(), secret);
    const redis = connectRedis({ url: environmentOf('TEST_REDIS_URL'), name: 'test', log });
    try {
      await new Promise((resolve) => redis.once('ready', resolve));
      const names = await redis.keys('bluewave:idempotency:*');
      const kept = await Promise.all(names.map((name) => redis.get(name)));
      expect(kept.length).toBeGreaterThan(0);
      expect(kept.filter((text) => text?.includes(secret))).toEqual([]);
    } finally {
      closeRedis(redis);
    }
  });

  it('given a key that is none, when sent, then it is refused', async () => {
    for (const key of ['x'.repeat(256), 'a b']) {
      expect(await make(alice, key, 'No')).toMatchObject({ status: 400, body: { code: 'VALIDATION_FAILED' } });
    }
  });

  it('given a gateway without Redis, when a request with a key comes, then it is served without what was kept', async () => {
    const alone = await startGatewayUnderTest({ ...services.addresses, REDIS_URL: 'redis://127.0.0.1:1' });
    try {
      const key = randomUUID();
      const [first, again] = [await make(alice, key, 'Alone', alone), await make(alice, key, 'Alone', alone)];
      // Chat knows the key too: still one conversation.
      expect([first.status, again.status]).toEqual([201, 200]);
      expect(again.body['id']).toBe(first.body['id']);
      expect(again.headers.get('idempotency-replayed')).toBeNull();
    } finally {
      await alone.close();
    }
  });
});
