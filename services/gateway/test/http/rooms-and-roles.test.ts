import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Ban, Conversation, FoundConversation, Member, Message } from '@bluewave/api/objects';
import type { Person } from './support/caller.ts';
import { type GatewayUnderTest, startGatewayUnderTest } from './support/gateway.ts';
import { makeScene, type Scene } from './support/scene.ts';
import { type Services, startServices } from './support/services.ts';

type Page<T> = { items: T[]; nextCursor: string | null };

describe('rooms, roles and bans over REST', () => {
  let services: Services;
  let gateway: GatewayUnderTest;
  let scene: Scene;
  let alice: Person;
  let bob: Person;
  let carol: Person;

  beforeAll(async () => {
    services = await startServices();
    gateway = await startGatewayUnderTest(services.addresses);
    scene = await makeScene(gateway);
    alice = scene.alice;
    [bob, carol] = await Promise.all([gateway.register('bob'), gateway.register('carol')]);
  }, 60_000);

  afterAll(async () => {
    await gateway?.close();
    await services?.close();
  }, 30_000);

  const call = <T = Record<string, unknown>>(person: Person, method: string, path: string, body?: unknown) =>
    gateway.call<T>(method, path, { token: person.accessToken, ...(body === undefined ? {} : { body }) });
  const room = async (owner: Person, name: string): Promise<string> =>
    (await call<Conversation>(owner, 'POST', '/conversations', { type: 'room', name })).body.id;
  const outcome = async (person: Person, method: string, path: string, body?: unknown) => {
    const reply = await call<{ code?: string }>(person, method, path, body);
    return reply.status < 300 ? reply.status : `${reply.status} ${reply.body.code}`;
  };

  it('given a room, when it is discovered, read and joined, then its inside is for members only', async () => {
    const name = `Halle ${randomUUID().slice(0, 8)} Größe`;
    const made = await call<Conversation>(alice, 'POST', '/conversations', { type: 'room', name, description: 'all' });
    expect(made).toMatchObject({ status: 201, body: { type: 'room', name, memberCount: 1, me: { role: 'owner' } } });
    const path = `/conversations/${made.body.id}`;
    const find = async (person: Person) => {
      const query = new URLSearchParams({ q: `grosse ${name.slice(6, 14)}` });
      return (await call<Page<FoundConversation>>(person, 'GET', `/conversations/discover?${query}`)).body.items;
    };
    expect(await find(bob)).toMatchObject([{ id: made.body.id, name, description: 'all', memberCount: 1, me: null }]);
    const seen = await call<FoundConversation>(bob, 'GET', path);
    expect(seen).toMatchObject({ status: 200, body: { name, me: null } });
    for (const inside of ['members', 'messages', 'entries', 'bans']) {
      expect(await outcome(bob, 'GET', `${path}/${inside}`)).toBe('404 NOT_FOUND');
    }
    expect(await outcome(bob, 'POST', `${path}/messages`, { clientMsgId: randomUUID(), text: 'x' })).toBe(
      '404 NOT_FOUND',
    );
    const joined = await call<Conversation>(bob, 'POST', `${path}/join`);
    expect(joined).toMatchObject({ status: 200, body: { memberCount: 2, me: { role: 'member' } } });
    expect(await outcome(bob, 'POST', `${path}/join`)).toBe(200);
    expect(await find(bob)).toMatchObject([{ id: made.body.id, me: { role: 'member' } }]);
    const { body } = await call<Page<Message>>(alice, 'GET', `${path}/messages`);
    expect(body.items).toMatchObject([
      { type: 'system', sender: { id: bob.id }, text: 'bob of test joined', system: { event: 'joined' } },
    ]);
  });

  it('given a group, when a stranger asks for it, joins or governs it, then it is not there', async () => {
    const id = await scene.group(bob.id);
    const operations: [string, string, unknown?][] = [
      ['GET', ''],
      ['PATCH', '', { name: 'mine' }],
      ['PATCH', '', { avatarId: randomUUID() }],
      ['DELETE', ''],
      ['POST', '/join'],
      ['POST', '/owner', { userId: carol.id }],
      ['PATCH', '/me', { archived: true }],
      ['PATCH', `/members/${bob.id}`, { role: 'member' }],
      ['GET', '/bans'],
      ['PUT', `/bans/${bob.id}`, {}],
      ['PUT', `/bans/${randomUUID()}`, {}],
      ['DELETE', `/bans/${bob.id}`],
    ];
    for (const [method, path, body] of operations) {
      const foreign = await call(carol, method, `/conversations/${id}${path}`, body);
      const absent = await call(carol, method, `/conversations/${randomUUID()}${path}`, body);
      const { traceId: _one, ...seen } = foreign.body;
      const { traceId: _two, ...none } = absent.body;
      expect({ method, path, status: foreign.status, seen }).toEqual({ method, path, status: 404, seen: none });
    }
  });

  it('given a group, when it is governed, then each does what their role allows', async () => {
    const path = `/conversations/${await scene.group(bob.id, carol.id)}`;
    expect(await outcome(bob, 'PATCH', path, { name: 'Bob’s' })).toBe('403 FORBIDDEN');
    expect(await outcome(bob, 'DELETE', path)).toBe('403 FORBIDDEN');
    const promoted = await call<Member>(alice, 'PATCH', `${path}/members/${bob.id}`, { role: 'admin' });
    expect(promoted).toMatchObject({ status: 200, body: { user: { id: bob.id }, role: 'admin' } });
    const renamed = await call<Conversation>(bob, 'PATCH', path, { name: 'Bob’s', history: 'joined' });
    expect(renamed).toMatchObject({ status: 200, body: { name: 'Bob’s', history: 'joined', me: { role: 'admin' } } });
    expect(await outcome(bob, 'PATCH', `${path}/members/${alice.id}`, { role: 'member' })).toBe('403 FORBIDDEN');
    expect(await outcome(bob, 'PATCH', `${path}/members/${carol.id}`, { role: 'owner' })).toBe('403 FORBIDDEN');
    expect(await outcome(alice, 'POST', `${path}/leave`)).toBe('409 OWNER_MUST_TRANSFER');
    expect(await outcome(bob, 'POST', `${path}/owner`, { userId: carol.id })).toBe('403 FORBIDDEN');
    const passedOn = await call<Conversation>(alice, 'POST', `${path}/owner`, { userId: carol.id });
    expect(passedOn).toMatchObject({ status: 200, body: { me: { role: 'admin' } } });
    expect(await outcome(alice, 'POST', `${path}/leave`)).toBe(204);
    expect(await outcome(carol, 'DELETE', path)).toBe(204);
    expect(await outcome(carol, 'GET', path)).toBe('404 NOT_FOUND');
  });

  it('given a direct conversation, when it is governed, then it is refused as no state for it', async () => {
    const { body } = await call<Conversation>(alice, 'POST', '/conversations', { type: 'direct', userId: bob.id });
    const path = `/conversations/${body.id}`;
    for (const [method, rest, input] of [
      ['PATCH', '', { name: 'x' }],
      ['DELETE', ''],
      ['PATCH', `/members/${bob.id}`, { role: 'admin' }],
      ['POST', '/owner', { userId: bob.id }],
      ['PUT', `/bans/${bob.id}`, {}],
      ['GET', '/bans'],
    ] as const) {
      expect(await outcome(alice, method, `${path}${rest}`, input)).toBe('409 CONFLICT');
    }
    expect(await outcome(alice, 'POST', `${path}/join`)).toBe(200);
    expect(await outcome(alice, 'PATCH', `${path}/me`, { pinned: true })).toBe(200);
  });

  it('given a ban, when the banned one comes back, then not before it is lifted', async () => {
    const path = `/conversations/${await room(alice, 'Strict')}`;
    await call(bob, 'POST', `${path}/join`);
    const until = '2100-01-01T00:00:00.000Z';
    expect(await outcome(alice, 'PUT', `${path}/bans/${bob.id}`, { reason: 'spam', until })).toBe(204);
    expect(await outcome(alice, 'PUT', `${path}/bans/${carol.id}`)).toBe(204);
    expect(await outcome(bob, 'POST', `${path}/join`)).toBe('403 FORBIDDEN');
    expect(await outcome(alice, 'POST', `${path}/members`, { userIds: [carol.id] })).toBe('409 CONFLICT');
    const { body } = await call<Page<Ban>>(alice, 'GET', `${path}/bans`);
    const expected = [
      { user: { id: bob.id, displayName: 'bob of test' }, reason: 'spam', until },
      { user: { id: carol.id }, reason: '', until: null },
    ];
    expect(body.items).toHaveLength(2);
    expect(body.items).toEqual(expect.arrayContaining(expected.map((one) => objectLike(one))));
    for (let time = 0; time < 2; time += 1) {
      expect(await outcome(alice, 'DELETE', `${path}/bans/${bob.id}`)).toBe(204);
    }
    expect(await outcome(bob, 'POST', `${path}/join`)).toBe(200);
    expect(await outcome(alice, 'PUT', `${path}/bans/${randomUUID()}`)).toBe('404 NOT_FOUND');
    expect(await outcome(alice, 'PUT', `${path}/bans/${bob.id}`, { until: '2001-01-01T00:00:00Z' })).toBe(
      '400 VALIDATION_FAILED',
    );
  });

  it('given an image, when it becomes the picture of a group, then its members open it and others do not', async () => {
    const path = `/conversations/${await scene.group(bob.id)}`;
    const avatarId = scene.ids.uploadId;
    const changed = await call<Conversation>(alice, 'PATCH', path, { avatarId });
    expect(changed).toMatchObject({ status: 200, body: { avatarUrl: `/api/v1/media/${avatarId}/content` } });
    const open = async (person: Person) => (await call(person, 'GET', `/media/${avatarId}/content`)).status;
    expect([await open(bob), await open(carol)]).toEqual([302, 404]);
    expect(await outcome(bob, 'POST', '/conversations', { type: 'room', name: 'x', avatarId })).toBe('404 NOT_FOUND');
    const pictured = { type: 'room', name: 'Pictured', avatarId };
    const hall = await call<Conversation>(alice, 'POST', '/conversations', pictured);
    expect(hall.body.avatarUrl).toBe(`/api/v1/media/${avatarId}/content`);
    expect(await open(carol)).toBe(302);
    expect(await outcome(alice, 'DELETE', `/conversations/${hall.body.id}`)).toBe(204);
    expect(await open(carol)).toBe(404);
    const without = await call<Conversation>(alice, 'PATCH', path, { avatarId: null });
    expect(without.body.avatarUrl).toBeNull();
    expect(await open(bob)).toBe(404);
    const pending = await scene.upload();
    expect(await outcome(alice, 'PATCH', path, { avatarId: pending })).toBe('409 UPLOAD_NOT_CONFIRMED');
  });
});

const objectLike = (shape: { user: object }): unknown =>
  expect.objectContaining({ ...shape, user: expect.objectContaining(shape.user) });
