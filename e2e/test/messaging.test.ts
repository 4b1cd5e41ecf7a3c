import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Answer, call, Listener, openDirect, type Person, register } from '../src/api-client.ts';
import { type Doors, doorsForTest } from './support.ts';

type MessageBody = {
  id: string;
  seq: number;
  text: string;
  clientMsgId: string;
  deletedAt?: string;
  editedAt?: string;
};
type EntryBody = { seq: number; type: string; message?: MessageBody; messageId?: string };
type SyncBody = { conversations: { conversation: { id: string }; entries: EntryBody[]; hasMore: boolean }[] };

describe('messaging through the gateways', () => {
  let doors: Doors;
  let first = '';
  let second = '';
  const listeners: Listener[] = [];

  const listen = async (gateway: string, person: Person): Promise<Listener> => {
    const listener = await Listener.connect(gateway, person);
    listeners.push(listener);
    return listener;
  };
  const send = (person: Person, conversationId: string, text: string, clientMsgId: string = randomUUID()) =>
    call<{ message: MessageBody; duplicate?: boolean }>(first, 'POST', `/conversations/${conversationId}/messages`, {
      token: person.token,
      body: { clientMsgId, text },
    });

  beforeAll(async () => {
    doors = await doorsForTest();
    [first = '', second = ''] = doors.gateways;
  }, 90_000);

  afterAll(async () => {
    for (const listener of listeners) listener.close();
    await doors.end();
  }, 60_000);

  it('given members on both gateways, when one sends, then all of them hear the same entry, the sender too', async () => {
    const [alice, bob] = [await register(first), await register(second)];
    const id = await openDirect(first, alice, bob);
    const [atFirst, atSecond] = [await listen(first, alice), await listen(second, bob)];
    const clientMsgId = randomUUID();
    const ack = await atFirst.ask('message:send', { conversationId: id, clientMsgId, text: 'hello' });
    expect(ack).toMatchObject({ ok: true, message: { conversationId: id, seq: 2, clientMsgId, text: 'hello' } });
    for (const listener of [atFirst, atSecond]) {
      expect(await listener.hears('message:new')).toMatchObject({
        conversationId: id,
        seq: 2,
        message: { id: `${id}:2`, clientMsgId, sender: { id: alice.id, username: alice.username }, status: 'sent' },
      });
    }
  });

  it('given a message, when it is sent again by REST and by socket, then the first one is answered', async () => {
    const [alice, bob] = [await register(first), await register(first)];
    const id = await openDirect(first, alice, bob);
    const clientMsgId = randomUUID();
    expect(await send(alice, id, 'once', clientMsgId)).toMatchObject({ status: 201 });
    const repeat = await send(alice, id, 'once', clientMsgId);
    expect(repeat).toMatchObject({ status: 200, body: { duplicate: true, message: { seq: 2 } } });
    const socket = await listen(second, alice);
    const ack = await socket.ask('message:send', { conversationId: id, clientMsgId, text: 'once' });
    expect(ack).toMatchObject({ ok: true, duplicate: true, message: { seq: 2 } });
    const mismatch = await send(alice, id, 'twice', clientMsgId);
    expect(mismatch).toMatchObject({ status: 409, body: { code: 'IDEMPOTENCY_MISMATCH' } });
  });

  it('given two who ask for the same pair, when both create it, then there is one conversation', async () => {
    const [alice, bob] = [await register(first), await register(first)];
    const ids = await Promise.all(
      Array.from({ length: 6 }, (_, turn) =>
        turn % 2 ? openDirect(first, alice, bob) : openDirect(second, bob, alice),
      ),
    );
    expect(new Set(ids).size).toBe(1);
  });

  it('given a stranger, when it asks for anything of a conversation, then it is not there', async () => {
    const [alice, bob, eve] = [await register(first), await register(first), await register(first)];
    const id = await openDirect(first, alice, bob);
    await send(alice, id, 'secret');
    const absent = randomUUID();
    const ask = async (conversationId: string): Promise<Answer[]> =>
      Promise.all([
        call(first, 'GET', `/conversations/${conversationId}`, { token: eve.token }),
        call(first, 'GET', `/conversations/${conversationId}/members`, { token: eve.token }),
        call(first, 'GET', `/conversations/${conversationId}/messages`, { token: eve.token }),
        call(first, 'GET', `/conversations/${conversationId}/entries`, { token: eve.token }),
        call(first, 'GET', `/messages/${conversationId}:2`, { token: eve.token }),
        call(first, 'PATCH', `/messages/${conversationId}:2`, { token: eve.token, body: { text: 'mine' } }),
        call(first, 'DELETE', `/messages/${conversationId}:2`, { token: eve.token }),
        call(first, 'POST', `/conversations/${conversationId}/read`, { token: eve.token, body: { seq: 1 } }),
        send(eve, conversationId, 'hello'),
      ]);
    const [foreign, missing] = [await ask(id), await ask(absent)];
    const visible = ({ status, body }: Answer) => ({ status, code: body['code'], detail: body['detail'] });
    expect(foreign.map(visible)).toEqual(missing.map(visible));
    expect(new Set(foreign.map(({ status }) => status))).toEqual(new Set([404]));
  });

  it('given typing, presence and receipts, when they happen at one gateway, then members at the other hear', async () => {
    const [alice, bob] = [await register(first), await register(first)];
    const id = await openDirect(first, alice, bob);
    await send(alice, id, 'read me');
    const atFirst = await listen(first, alice);
    const atSecond = await listen(second, bob);
    await atFirst.hears('presence', (payload) => payload['userId'] === bob.id && payload['status'] === 'online');
    await atSecond.ask('typing:start', { conversationId: id });
    await atFirst.hears('typing', (payload) => payload['userId'] === bob.id && payload['on'] === true);
    await atSecond.ask('message:read', { conversationId: id, seq: 2 });
    expect(await atFirst.hears('receipt')).toMatchObject({ conversationId: id, userId: bob.id, readSeq: 2 });
    const mine = await call<MessageBody & { status: string }>(first, 'GET', `/messages/${id}:2`, {
      token: alice.token,
    });
    expect(mine.body.status).toBe('read');
    atSecond.close();
    await atFirst.hears('presence', (payload) => payload['userId'] === bob.id && payload['status'] === 'offline');
  });

  it('given messages in several conversations, when they are searched, then own ones come, newest first, as they are now', async () => {
    const [alice, bob, carol] = [await register(first), await register(first), await register(first)];
    const [withBob, withCarol] = [await openDirect(first, alice, bob), await openDirect(first, bob, carol)];
    await send(alice, withBob, 'Die Größen stimmen');
    await send(bob, withCarol, 'grossen 🎉');
    await send(bob, withBob, '明天在北京见');
    type Found = { items: (MessageBody & { highlights: [number, number][] })[]; nextCursor: string | null };
    const search = (gateway: string, person: Person, query: Record<string, string>) =>
      call<Found>(gateway, 'GET', `/search/messages?${new URLSearchParams(query)}`, { token: person.token });
    const both = await search(second, bob, { q: 'grossen' });
    expect(both.body.items.map(({ text }) => text)).toEqual(['grossen 🎉', 'Die Größen stimmen']);
    expect(both.body.items.map(({ highlights }) => highlights)).toEqual([[[0, 7]], [[4, 10]]]);
    expect((await search(first, alice, { q: 'gross' })).body.items.map(({ text }) => text)).toEqual([
      'Die Größen stimmen',
    ]);
    expect((await search(first, alice, { q: '北京', from: bob.id, conversationId: withBob })).body.items).toHaveLength(
      1,
    );
    const page = await search(first, bob, { q: 'gross', limit: '1' });
    expect(page.body.items.map(({ text }) => text)).toEqual(['grossen 🎉']);
    const next = await search(first, bob, { q: 'gross', limit: '1', cursor: page.body.nextCursor ?? '' });
    expect(next.body).toMatchObject({ items: [{ text: 'Die Größen stimmen' }], nextCursor: null });
    const edit = { token: alice.token, body: { text: 'Alles neu' } };
    await call(first, 'PATCH', `/messages/${withBob}:2`, edit);
    expect((await search(second, bob, { q: 'größen stimmen' })).body.items).toEqual([]);
    expect((await search(second, bob, { q: '"alles neu"' })).body.items).toMatchObject([{ id: `${withBob}:2` }]);
    await call(first, 'DELETE', `/messages/${withBob}:2`, { token: alice.token });
    expect((await search(second, bob, { q: 'neu' })).body.items).toEqual([]);
    expect(await search(first, alice, { q: 'x', conversationId: withCarol })).toMatchObject({ status: 404 });
    expect(await search(first, alice, { q: 'x'.repeat(4_000) })).toMatchObject({ status: 400 });
    expect(await search(first, alice, { q: '?!' })).toMatchObject({
      status: 200,
      body: { items: [], nextCursor: null },
    });
  });

  it('given unread messages, when some are read, then the count follows the pointer', async () => {
    const [alice, bob] = [await register(first), await register(first)];
    const id = await openDirect(first, alice, bob);
    for (const text of ['one', 'two', 'three']) await send(alice, id, text);
    const unread = async () => {
      const { body } = await call<{ me: { unread: number } }>(first, 'GET', `/conversations/${id}`, {
        token: bob.token,
      });
      return body.me.unread;
    };
    expect(await unread()).toBe(3);
    await call(first, 'POST', `/conversations/${id}/read`, { token: bob.token, body: { seq: 3 } });
    expect(await unread()).toBe(1);
    await call(first, 'POST', `/conversations/${id}/read`, { token: bob.token, body: { seq: 1 } });
    expect(await unread()).toBe(1);
    await call(first, 'POST', `/conversations/${id}/read`, { token: bob.token, body: { seq: 9_999 } });
    expect(await unread()).toBe(0);
  });

  it('given a client that was away for 10,000 entries, when it syncs, then it gets them all, edits and deletions too', async () => {
    const [alice, bob] = [await register(first), await register(first)];
    const id = await openDirect(first, alice, bob);
    const socket = await listen(second, alice);
    const total = 9_998;
    for (let start = 0; start < total; start += 500) {
      const some = Math.min(500, total - start);
      const acks = await Promise.all(
        Array.from({ length: some }, (_, index) =>
          socket.ask<{ ok: boolean }>('message:send', {
            conversationId: id,
            clientMsgId: randomUUID(),
            text: `message ${start + index}`,
          }),
        ),
      );
      expect(acks.filter(({ ok }) => !ok)).toEqual([]);
    }
    await socket.ask('message:edit', { messageId: `${id}:10`, text: 'edited' });
    await socket.ask('message:delete', { messageId: `${id}:20` });
    const entries: EntryBody[] = [];
    for (let more = true; more;) {
      const { status, body } = await call<SyncBody>(second, 'POST', '/sync', {
        token: bob.token,
        body: { cursors: { [id]: entries.at(-1)?.seq ?? 0 }, limit: 200 },
      });
      expect(status).toBe(200);
      const page = body.conversations.find(({ conversation }) => conversation.id === id);
      entries.push(...(page?.entries ?? []));
      more = page?.hasMore ?? false;
    }
    expect(entries.map(({ seq }) => seq)).toEqual(Array.from({ length: 10_001 }, (_, index) => index + 1));
    expect(entries[9]).toMatchObject({ type: 'message:new', message: { text: 'edited' } });
    expect(entries[19]).toMatchObject({ type: 'message:new', message: { text: '' } });
    expect(entries[19]?.message?.deletedAt).toBeDefined();
    expect(entries[9_999]).toMatchObject({ type: 'message:edited', message: { id: `${id}:10`, text: 'edited' } });
    expect(entries[10_000]).toMatchObject({ type: 'message:deleted', messageId: `${id}:20` });
  }, 90_000);

  it('given a removed member, when others go on, then nothing later reaches it', async () => {
    const [owner, guest] = [await register(first), await register(first)];
    const group = await call<{ id: string }>(first, 'POST', '/conversations', {
      token: owner.token,
      body: { type: 'group', name: 'club', memberIds: [guest.id] },
    });
    const { id } = group.body;
    const atSecond = await listen(second, guest);
    await send(owner, id, 'before');
    await atSecond.hears('message:new');
    const path = `/conversations/${id}/members/${guest.id}`;
    expect(await call(first, 'DELETE', path, { token: owner.token })).toMatchObject({ status: 204 });
    await send(owner, id, 'after');
    await atSecond.hears('conversation:removed', (payload) => payload['conversationId'] === id);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(atSecond.heard.filter(({ name }) => name === 'message:new').map(({ payload }) => payload['seq'])).toEqual([
      2,
    ]);
    expect(await send(guest, id, 'let me in')).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
    expect(await call(first, 'GET', `/conversations/${id}/entries`, { token: guest.token })).toMatchObject({
      status: 404,
    });
    await call(first, 'POST', `/conversations/${id}/members`, { token: owner.token, body: { userIds: [guest.id] } });
    await atSecond.hears('conversation:added', (payload) => (payload['conversation'] as { id: string }).id === id);
    await send(owner, id, 'welcome back');
    await atSecond.hears('message:new', (payload) => payload['seq'] === 6);
  });
});
