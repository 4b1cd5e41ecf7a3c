import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Conversation, ForwardResult, Message, SyncAnswer } from '@bluewave/api/objects';
import { eventually, insistently, type Person } from './support/caller.ts';
import { type GatewayUnderTest, startGatewayUnderTest } from './support/gateway.ts';
import { type Services, startServices } from './support/services.ts';

type Page<T> = { items: T[]; nextCursor: string | null };

describe('what people do with messages over REST', () => {
  let services: Services;
  let gateway: GatewayUnderTest;
  let alice: Person;
  let bob: Person;
  let carol: Person;

  beforeAll(async () => {
    services = await startServices();
    gateway = await startGatewayUnderTest(services.addresses);
    [alice, bob, carol] = await Promise.all([
      gateway.register('alice'),
      gateway.register('bob'),
      gateway.register('carol'),
    ]);
  }, 60_000);

  afterAll(async () => {
    await gateway?.close();
    await services?.close();
  }, 30_000);

  const call = <T = Record<string, unknown>>(
    person: Person,
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ) =>
    insistently(() =>
      gateway.call<T>(method, path, {
        token: person.accessToken,
        headers,
        ...(body === undefined ? {} : { body }),
      }),
    );
  const group = async (owner: Person, ...members: Person[]): Promise<string> => {
    const body = { type: 'group', name: 'Engines', memberIds: members.map(({ id }) => id) };
    return (await call<Conversation>(owner, 'POST', '/conversations', body)).body.id;
  };
  const send = async (person: Person, conversationId: string, more: object = {}): Promise<Message> => {
    const body = { clientMsgId: randomUUID(), text: 'hello', ...more };
    return (await call<{ message: Message }>(person, 'POST', `/conversations/${conversationId}/messages`, body)).body
      .message;
  };
  const read = async (person: Person, id: string) => (await call<Message>(person, 'GET', `/messages/${id}`)).body;

  it('given any emoji, when people react, then it is taken in its full form, and what is none is refused', async () => {
    const message = await send(alice, await group(alice, bob));
    const path = (emoji: string) => `/messages/${message.id}/reactions/${encodeURIComponent(emoji)}`;
    const taken = ['👍', '❤', '👩‍👩‍👧‍👦', '🇩🇪', '1️⃣', '👍🏽', 'party_parrot', ':party_parrot:'];
    for (const emoji of taken) expect((await call(alice, 'PUT', path(emoji))).status).toBe(204);
    expect((await call(bob, 'PUT', path('❤️'))).status).toBe(204);
    for (const emoji of ['a b', '👍👍', '😀x', '$where', '-.-', 'x'.repeat(33)]) {
      expect(await call(alice, 'PUT', path(emoji))).toMatchObject({ status: 400, body: { code: 'VALIDATION_FAILED' } });
    }
    const { reactions } = await read(bob, message.id);
    expect(reactions.map(({ emoji }) => emoji)).toEqual(taken.map((emoji) => (emoji === '❤' ? '❤️' : emoji)));
    expect(reactions[1]).toEqual({ emoji: '❤️', count: 2, mine: true });
    const hearts = await call<Page<object>>(
      carol,
      'GET',
      `/messages/${message.id}/reactions?emoji=${encodeURIComponent('❤')}`,
    );
    expect(hearts.status).toBe(404);
    const who = await call<Page<{ user: { id: string }; emoji: string }>>(
      bob,
      'GET',
      `/messages/${message.id}/reactions?emoji=${encodeURIComponent('❤')}`,
    );
    expect(who.body.items.map(({ user, emoji }) => [user.id, emoji])).toEqual([
      [alice.id, '❤️'],
      [bob.id, '❤️'],
    ]);
    expect((await call(bob, 'DELETE', path('❤'))).status).toBe(204);
    expect((await read(bob, message.id)).reactions[1]).toEqual({ emoji: '❤️', count: 1, mine: false });
  });

  it('given mentions, when one is no member, then it is named by its place in what was sent', async () => {
    const id = await group(alice, bob);
    const body = { clientMsgId: randomUUID(), text: 'x', mentions: ['all', bob.id, bob.id, carol.id] };
    const refused = await call<{ errors: { path: string }[] }>(alice, 'POST', `/conversations/${id}/messages`, body);
    expect(refused.status).toBe(400);
    expect(refused.body.errors.map(({ path }) => path)).toEqual(['mentions.3']);
    const message = await send(alice, id, { mentions: ['all', bob.id] });
    expect(message).toMatchObject({ mentions: [bob.id], mentionsAll: true });
    const edited = await call<Message>(alice, 'PATCH', `/messages/${message.id}`, { text: '$$ROOT' });
    expect(edited.body).toMatchObject({ text: '$$ROOT', mentions: [bob.id], mentionsAll: true });
    const named = { text: 'y', mentions: [carol.id] };
    expect(await call(alice, 'PATCH', `/messages/${message.id}`, named)).toMatchObject({
      ...{ status: 400, body: { errors: [{ path: 'mentions.0' }] } },
    });
    const history = await call<{ items: { text: string }[] }>(bob, 'GET', `/messages/${message.id}/history`);
    expect(history.body.items.map(({ text }) => text)).toEqual(['hello', '$$ROOT']);
  });

  it('given a pin, a star and a thread, when they are asked for, then they are listed', async () => {
    const id = await group(alice, bob);
    const root = await send(alice, id);
    const reply = await send(bob, id, { threadRootId: root.id, replyTo: root.id });
    expect(reply).toMatchObject({ threadRootId: root.id, replyTo: { messageId: root.id, preview: 'hello' } });
    expect((await call(bob, 'PUT', `/messages/${root.id}/pin`)).status).toBe(403);
    expect((await call(alice, 'PUT', `/messages/${root.id}/pin`)).status).toBe(204);
    expect((await call(bob, 'PUT', `/messages/${root.id}/star`)).status).toBe(204);
    const idsAt = async (person: Person, path: string) =>
      (await call<Page<Message>>(person, 'GET', path)).body.items.map((one) => one.id);
    expect(await idsAt(bob, `/conversations/${id}/pins`)).toEqual([root.id]);
    expect(await idsAt(bob, '/users/me/starred')).toEqual([root.id]);
    expect(await idsAt(alice, '/users/me/starred')).toEqual([]);
    expect(await idsAt(alice, `/messages/${root.id}/thread`)).toEqual([reply.id]);
    await eventually(async () => ((await read(alice, root.id)).thread?.replies === 1 ? true : undefined));
    const first = await call<SyncAnswer>(bob, 'POST', '/sync', { cursors: { [id]: 0 } });
    expect((await call(bob, 'DELETE', `/messages/${root.id}/star`)).status).toBe(204);
    const later = await call<SyncAnswer>(bob, 'POST', '/sync', { cursors: { [id]: 9 }, token: first.body.token });
    expect(later.body.starred).toEqual([{ messageId: root.id, on: false }]);
    expect((await call(bob, 'GET', '/users/me/unread')).body).toMatchObject({ mentions: 1 });
  });

  it('given a message, when its sender asks who has it, then it says so with times, and others are refused', async () => {
    const id = await group(alice, bob, carol);
    const message = await send(bob, id);
    const info = (person: Person) =>
      call<{ items: { userId: string; readAt?: string; deliveredAt?: string }[] }>(
        person,
        'GET',
        `/messages/${message.id}/info`,
      );
    await call(carol, 'POST', `/conversations/${id}/read`, { seq: message.seq });
    expect((await info(carol)).status).toBe(403);
    for (const person of [bob, alice]) {
      const { items } = (await info(person)).body;
      const byUser = new Map(items.map((one) => [one.userId, one]));
      expect(byUser.get(alice.id)).toEqual({ userId: alice.id });
      const iso = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
      expect(byUser.get(carol.id)?.readAt).toMatch(iso);
      expect(byUser.get(carol.id)?.deliveredAt).toMatch(iso);
      expect(byUser.has(bob.id)).toBe(false);
    }
    expect((await call(carol, 'POST', `/messages/${message.id}/report`, { reason: 'spam' })).status).toBe(202);
    expect((await call(carol, 'POST', `/messages/${message.id}/report`, { reason: 'x' })).status).toBe(400);
  });

  it('given several targets, when a message is forwarded, then each has its result and a repeat has the same', async () => {
    const [from, to, foreign] = [await group(alice, bob), await group(alice, carol), await group(bob)];
    const source = await send(bob, from, { text: 'news' });
    const body = { conversationIds: [to, foreign, to] };
    const forward = (key: string) =>
      call<{ results: ForwardResult[] }>(alice, 'POST', `/messages/${source.id}/forward`, body, {
        'idempotency-key': key,
      });
    const key = randomUUID();
    const first = await forward(key);
    expect(first.body.results).toMatchObject([
      { conversationId: to, ok: true, message: { text: 'news', forwarded: { from: source.id, hops: 1 } } },
      { conversationId: foreign, ok: false, error: { code: 'NOT_FOUND', status: 404 } },
    ]);
    expect((await forward(key)).body).toEqual(first.body);
    const messageId = first.body.results[0]?.message?.id ?? '';
    expect((await read(carol, messageId)).forwarded).toEqual({ hops: 1 });
    await eventually(async () => ((await read(alice, source.id)).forwardCount === 1 ? true : undefined));
    expect((await call(bob, 'DELETE', `/messages/${source.id}`)).status).toBe(204);
    expect(await forward(randomUUID())).toMatchObject({ status: 409, body: { code: 'MESSAGE_DELETED' } });
    expect((await call(carol, 'POST', `/messages/${source.id}/forward`, body)).status).toBe(404);
  });
});
