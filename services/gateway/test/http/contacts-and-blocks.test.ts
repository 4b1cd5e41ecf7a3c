import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Block, Contact, Conversation, Message } from '@bluewave/api/objects';
import type { Person } from './support/caller.ts';
import { type GatewayUnderTest, startGatewayUnderTest } from './support/gateway.ts';
import { type Services, startServices } from './support/services.ts';

type Page<T> = { items: T[]; nextCursor: string | null };

describe('contacts and blocks over REST', () => {
  let services: Services;
  let gateway: GatewayUnderTest;
  let alice: Person;
  let bob: Person;
  let carol: Person;

  beforeAll(async () => {
    services = await startServices();
    gateway = await startGatewayUnderTest(services.addresses);
    const names = ['alice', 'bob', 'carol'].map((name) => gateway.register(name));
    [alice, bob, carol] = (await Promise.all(names)) as [Person, Person, Person];
  }, 60_000);

  afterAll(async () => {
    await gateway?.close();
    await services?.close();
  }, 30_000);

  const call = <T = Record<string, unknown>>(person: Person, method: string, path: string, body?: unknown) =>
    gateway.call<T>(method, path, { token: person.accessToken, ...(body === undefined ? {} : { body }) });
  const send = (person: Person, id: string, clientMsgId = randomUUID() as string) =>
    call<{ message: Message }>(person, 'POST', `/conversations/${id}/messages`, { clientMsgId, text: 'hello' });
  const block = (person: Person, other: Person, method: 'PUT' | 'DELETE' = 'PUT') =>
    call(person, method, `/users/me/blocks/${other.id}`);
  const direct = (person: Person, other: Person) =>
    call<Conversation>(person, 'POST', '/conversations', { type: 'direct', userId: other.id });

  it('given contacts, when they are put, renamed, paged and removed, then the list says so', async () => {
    for (const { id } of [bob, carol]) expect((await call(alice, 'PUT', `/users/me/contacts/${id}`)).status).toBe(204);
    const named = await call(alice, 'PUT', `/users/me/contacts/${bob.id}`, { alias: 'Bobby 🦆' });
    expect(named.status).toBe(204);
    const first = await call<Page<Contact>>(alice, 'GET', '/users/me/contacts?limit=1');
    const cursor = first.body.nextCursor ?? '';
    const second = await call<Page<Contact>>(alice, 'GET', `/users/me/contacts?limit=1&cursor=${cursor}`);
    const items = [...first.body.items, ...second.body.items];
    expect(second.body.nextCursor).toBeNull();
    expect(new Set(items.map(({ user }) => user.id))).toEqual(new Set([bob.id, carol.id]));
    const bobby = items.find(({ user }) => user.id === bob.id);
    expect(bobby).toEqual({
      user: expect.objectContaining({ username: bob.user.username, status: 'offline', lastSeenAt: null }),
      alias: 'Bobby 🦆',
      createdAt: expect.stringMatching(/Z$/),
    });
    expect(items.find(({ user }) => user.id === carol.id)).not.toHaveProperty('alias');

    for (let time = 0; time < 2; time += 1) {
      expect((await call(alice, 'DELETE', `/users/me/contacts/${bob.id}`)).status).toBe(204);
    }
    const left = await call<Page<Contact>>(alice, 'GET', '/users/me/contacts');
    expect(left.body.items.map(({ user }) => user.id)).toEqual([carol.id]);
    expect((await call<Page<Contact>>(bob, 'GET', '/users/me/contacts')).body.items).toEqual([]);
  });

  it.each(['contacts', 'blocks'])(
    'given what is nobody else, when it is put into %s, then it is refused',
    async (list) => {
      const put = (id: string, body?: unknown) => call(alice, 'PUT', `/users/me/${list}/${id}`, body);
      expect(await put(randomUUID())).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
      expect(await put(alice.id)).toMatchObject({ status: 400, body: { code: 'VALIDATION_FAILED' } });
      expect(await put('me')).toMatchObject({ status: 400, body: { code: 'VALIDATION_FAILED' } });
      expect(await put(bob.id, { nick: 'x' })).toMatchObject({ status: 400, body: { code: 'VALIDATION_FAILED' } });
      const cursor = await call(alice, 'GET', `/users/me/${list}?cursor=${encodeURIComponent('{"$gt":""}')}`);
      expect(cursor).toMatchObject({ status: 400, body: { code: 'VALIDATION_FAILED' } });
      expect((await call(alice, 'DELETE', `/users/me/${list}/${randomUUID()}`)).status).toBe(204);
    },
  );

  it('given a block, when the blocked one writes, opens, edits or adds, then it is 403 in one set of words', async () => {
    const { id } = (await direct(alice, bob)).body;
    const clientMsgId = randomUUID();
    const sent = await send(alice, id, clientMsgId);
    const messageId = sent.body.message.id;
    expect((await block(bob, alice)).status).toBe(204);
    expect((await block(bob, alice)).status).toBe(204);

    const group = { type: 'group', name: 'Trap', memberIds: [bob.id] };
    const own = await call<Conversation>(alice, 'POST', '/conversations', { ...group, memberIds: [carol.id] });
    const refused = await Promise.all([
      send(alice, id),
      direct(alice, bob),
      call(alice, 'PATCH', `/messages/${messageId}`, { text: 'please' }),
      call(alice, 'POST', '/conversations', group),
      call(alice, 'POST', `/conversations/${own.body.id}/members`, { userIds: [bob.id] }),
    ]);
    for (const { status, body } of refused) {
      expect({ status, code: (body as { code?: string }).code }).toEqual({ status: 403, code: 'FORBIDDEN' });
    }
    const words = refused.map(({ body }) => (body as { detail?: string }).detail);
    expect(new Set(words).size).toBe(1);
    expect(words[0]).not.toMatch(/block/i);

    expect(await send(alice, id, clientMsgId)).toMatchObject({ status: 200, body: { duplicate: true } });
    expect((await send(bob, id)).status).toBe(201);
    expect((await direct(bob, alice)).status).toBe(200);
    expect((await call(alice, 'GET', `/conversations/${id}`)).status).toBe(200);
    expect((await call(alice, 'DELETE', `/messages/${messageId}`)).status).toBe(204);

    const list = await call<Page<Block>>(bob, 'GET', '/users/me/blocks');
    expect(list.body.items).toMatchObject([{ user: { id: alice.id }, createdAt: expect.stringMatching(/Z$/) }]);
    expect((await call<Page<Block>>(alice, 'GET', '/users/me/blocks')).body.items).toEqual([]);

    for (let time = 0; time < 2; time += 1) expect((await block(bob, alice, 'DELETE')).status).toBe(204);
    expect((await send(alice, id)).status).toBe(201);
  });
});
