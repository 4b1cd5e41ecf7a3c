import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Conversation, Entry, Member, Message, SyncAnswer } from '@bluewave/api/objects';
import type { Person } from './support/caller.ts';
import { eventually } from './support/caller.ts';
import { type GatewayUnderTest, startGatewayUnderTest } from './support/gateway.ts';
import { type Services, startServices } from './support/services.ts';

type Page<T> = { items: T[]; nextCursor: string | null };

const absent = randomUUID();
const iso = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

describe('conversations, messages and media over REST', () => {
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

  const call = <T = Record<string, unknown>>(person: Person, method: string, path: string, body?: unknown) =>
    gateway.call<T>(method, path, { token: person.accessToken, ...(body === undefined ? {} : { body }) });
  const group = async (owner: Person, ...members: Person[]): Promise<Conversation> => {
    const memberIds = members.map((member) => member.id);
    const body = { type: 'group', name: 'Engines', memberIds };
    return (await call<Conversation>(owner, 'POST', '/conversations', body)).body;
  };
  const send = (person: Person, conversationId: string, text: string, clientMsgId: string = randomUUID()) =>
    call<{ message: Message; duplicate?: boolean }>(person, 'POST', `/conversations/${conversationId}/messages`, {
      clientMsgId,
      text,
    });

  describe('conversations', () => {
    it('given a pair, when opened twice from both sides, then it is one conversation', async () => {
      const first = await call<Conversation>(alice, 'POST', '/conversations', { type: 'direct', userId: bob.id });
      const again = await call<Conversation>(bob, 'POST', '/conversations', { type: 'direct', userId: alice.id });
      expect([first.status, again.status]).toEqual([201, 200]);
      expect(again.body.id).toBe(first.body.id);
      expect(first.body).toMatchObject({ type: 'direct', memberCount: 2, peer: { id: bob.id }, avatarUrl: null });
      expect(again.body.peer).toEqual({
        id: alice.id,
        username: alice.user.username,
        displayName: 'alice of test',
        avatarUrl: null,
      });
    });

    it('given unknown people or oneself, when a conversation is made, then it is refused', async () => {
      const make = (body: unknown) => call(alice, 'POST', '/conversations', body);
      expect(await make({ type: 'direct', userId: absent })).toMatchObject({ status: 404 });
      expect(await make({ type: 'group', name: 'x', memberIds: [bob.id, absent] })).toMatchObject({ status: 404 });
      expect(await make({ type: 'direct', userId: alice.id })).toMatchObject({
        status: 400,
        body: { code: 'VALIDATION_FAILED', errors: [{ path: 'userId' }] },
      });
    });

    it('given a group, when members are listed, added, removed and leave, then all see it', async () => {
      const made = await group(alice, bob);
      expect(made).toMatchObject({ type: 'group', name: 'Engines', memberCount: 2, me: { role: 'owner', unread: 0 } });
      const added = await call<Conversation>(alice, 'POST', `/conversations/${made.id}/members`, {
        userIds: [carol.id],
      });
      expect(added).toMatchObject({ status: 200, body: { memberCount: 3 } });
      const members = await call<Page<Member>>(carol, 'GET', `/conversations/${made.id}/members`);
      expect(new Map(members.body.items.map(({ user, role }) => [user.id, role]))).toEqual(
        new Map([
          [alice.id, 'owner'],
          [bob.id, 'member'],
          [carol.id, 'member'],
        ]),
      );
      expect(members.body.items.find(({ user }) => user.id === bob.id)?.user.displayName).toBe('bob of test');

      expect(await call(bob, 'DELETE', `/conversations/${made.id}/members/${carol.id}`)).toMatchObject({ status: 403 });
      expect((await call(alice, 'DELETE', `/conversations/${made.id}/members/${carol.id}`)).status).toBe(204);
      expect((await call(carol, 'GET', `/conversations/${made.id}`)).status).toBe(404);
      expect((await call(bob, 'POST', `/conversations/${made.id}/leave`)).status).toBe(204);
      const left = await call<Page<Conversation>>(bob, 'GET', '/conversations?limit=200');
      expect(left.body.items.map((one) => one.id)).not.toContain(made.id);
    });

    it('given a stranger, when any path of a conversation is asked, then it answers like an absent one', async () => {
      const made = await group(alice, bob);
      const { body } = await send(alice, made.id, 'secret');
      const paths = (id: string, messageId: string): [string, string, unknown?][] => [
        ['GET', `/conversations/${id}`],
        ['GET', `/conversations/${id}/members`],
        ['POST', `/conversations/${id}/members`, { userIds: [carol.id] }],
        ['DELETE', `/conversations/${id}/members/${bob.id}`],
        ['POST', `/conversations/${id}/leave`],
        ['GET', `/conversations/${id}/messages`],
        ['POST', `/conversations/${id}/messages`, { clientMsgId: randomUUID(), text: 'hi' }],
        ['GET', `/conversations/${id}/entries`],
        ['POST', `/conversations/${id}/read`, { seq: 1 }],
        ['POST', `/conversations/${id}/delivered`, { seq: 1 }],
        ['GET', `/messages/${messageId}`],
        ['PATCH', `/messages/${messageId}`, { text: 'mine' }],
        ['DELETE', `/messages/${messageId}`],
      ];
      const foreign = paths(made.id, body.message.id);
      const nowhere = paths(absent, `${absent}:1`);
      for (const [index, [method, path, input]] of foreign.entries()) {
        const seen = await call(carol, method, path, input);
        const [, absentPath] = nowhere[index] ?? ['', ''];
        const none = await call(carol, method, absentPath, input);
        const { traceId: _one, ...seenBody } = seen.body;
        const { traceId: _two, ...noneBody } = none.body;
        expect({ path, status: seen.status, body: seenBody }).toEqual({ path, status: 404, body: noneBody });
      }
    });
  });

  describe('messages', () => {
    it('given a message, when sent twice with one id, then there is one, and another body is refused', async () => {
      const { id } = await group(alice, bob);
      const clientMsgId = randomUUID();
      const first = await send(alice, id, 'Hello', clientMsgId);
      const again = await send(alice, id, 'Hello', clientMsgId);
      const other = await send(alice, id, 'Good bye', clientMsgId);
      expect(first.status).toBe(201);
      expect(first.body).toEqual({
        message: {
          id: `${id}:${first.body.message.seq}`,
          conversationId: id,
          seq: expect.any(Number),
          clientMsgId,
          type: 'text',
          sender: { id: alice.id, username: alice.user.username, displayName: 'alice of test', avatarUrl: null },
          text: 'Hello',
          attachments: [],
          mentions: [],
          forwardCount: 0,
          reactions: [],
          starred: false,
          pinned: false,
          status: 'sent',
          createdAt: expect.stringMatching(iso),
        },
      });
      expect(again).toMatchObject({ status: 200, body: { message: first.body.message, duplicate: true } });
      expect(other).toMatchObject({ status: 409, body: { code: 'IDEMPOTENCY_MISMATCH' } });
    });

    it('given empty messages, when sent, then they are refused by name', async () => {
      const { id } = await group(alice, bob);
      const path = `/conversations/${id}/messages`;
      const empty = await call(alice, 'POST', path, { clientMsgId: randomUUID() });
      const blank = await call(alice, 'POST', path, { clientMsgId: randomUUID(), text: ' \n' });
      const typed = await call(alice, 'POST', path, { clientMsgId: randomUUID(), text: 'x', type: 'image' });
      expect(empty).toMatchObject({ status: 400, body: { code: 'EMPTY_MESSAGE' } });
      expect(blank).toMatchObject({ status: 400, body: { code: 'EMPTY_MESSAGE' } });
      expect(typed).toMatchObject({ status: 400, body: { code: 'VALIDATION_FAILED', errors: [{ path: 'type' }] } });
    });

    it('given history, when read from every position, then pages are ascending and say what is around', async () => {
      const { id, head } = await group(alice, bob);
      for (let index = 1; index <= 6; index += 1) await send(alice, id, `message ${index}`);
      const list = (query: string) =>
        call<Page<Message> & { hasBefore: boolean; hasAfter: boolean }>(
          bob,
          'GET',
          `/conversations/${id}/messages?${query}`,
        );
      const texts = (reply: { body: Page<Message> }) => reply.body.items.map((message) => message.text.slice(8));

      const newest = await list('limit=2');
      expect(texts(newest)).toEqual(['5', '6']);
      expect(newest.body).toMatchObject({ hasBefore: true, hasAfter: false, nextCursor: String(head + 5) });
      expect(texts(await list(`limit=2&before=${newest.body.nextCursor}`))).toEqual(['3', '4']);
      const forward = await list(`limit=4&after=${head}`);
      expect(texts(forward)).toEqual(['1', '2', '3', '4']);
      expect(forward.body).toMatchObject({ hasAfter: true, nextCursor: String(head + 4) });
      expect(texts(await list(`limit=3&around=${head + 3}`))).toEqual(['2', '3', '4']);
      expect(await list('before=3&after=1')).toMatchObject({ status: 400, body: { code: 'VALIDATION_FAILED' } });
    });

    it('given an edit and a deletion, when the log and the message are read, then both tell its current state', async () => {
      const { id } = await group(alice, bob);
      const { message } = (await send(alice, id, 'frist')).body;
      const edited = await call<Message>(alice, 'PATCH', `/messages/${message.id}`, { text: 'first' });
      expect(edited).toMatchObject({
        status: 200,
        body: { id: message.id, text: 'first', editedAt: expect.any(String) },
      });
      expect(await call(bob, 'PATCH', `/messages/${message.id}`, { text: 'mine' })).toMatchObject({ status: 403 });
      expect((await call<Message>(bob, 'GET', `/messages/${message.id}`)).body.text).toBe('first');
      expect((await call(alice, 'DELETE', `/messages/${message.id}`)).status).toBe(204);
      expect((await call(alice, 'DELETE', `/messages/${message.id}`)).status).toBe(204);
      expect((await call<Message>(bob, 'GET', `/messages/${message.id}`)).body).toMatchObject({
        text: '',
        deletedAt: expect.stringMatching(iso),
      });

      const log = await call<Page<Entry> & { head: number; hasMore: boolean }>(
        bob,
        'GET',
        `/conversations/${id}/entries`,
      );
      expect(log.body.items.map((entry) => [entry.seq, entry.type])).toEqual([
        [1, 'member:added'],
        [2, 'message:new'],
        [3, 'message:edited'],
        [4, 'message:deleted'],
      ]);
      expect(log.body).toMatchObject({ head: 4, hasMore: false, nextCursor: null });
    });

    it('given unread messages, when read and delivered move, then unread follows and nothing moves back', async () => {
      const { id } = await group(alice, bob);
      await send(alice, id, 'one');
      const { message } = (await send(alice, id, 'two')).body;
      const unread = async () => (await call<Conversation>(bob, 'GET', `/conversations/${id}`)).body.me.unread;
      expect(await unread()).toBe(2);
      expect((await call(bob, 'POST', `/conversations/${id}/delivered`, { seq: message.seq })).status).toBe(204);
      expect((await call(bob, 'POST', `/conversations/${id}/read`, { seq: message.seq - 1 })).status).toBe(204);
      expect(await unread()).toBe(1);
      expect((await call(bob, 'POST', `/conversations/${id}/read`, { seq: 9_000_000 })).status).toBe(204);
      expect((await call(bob, 'POST', `/conversations/${id}/read`, { seq: 1 })).status).toBe(204);
      expect(await unread()).toBe(0);
      const beyond = await call(bob, 'POST', `/conversations/${id}/read`, { seq: 2 ** 53 });
      expect(beyond).toMatchObject({ status: 400, body: { code: 'VALIDATION_FAILED', errors: [{ path: 'seq' }] } });
    });

    it('given cursors, when synced, then the missing entries come page by page to the head', async () => {
      const frank = await gateway.register('frank');
      const { id } = await group(alice, frank);
      for (let index = 0; index < 5; index += 1) await send(alice, id, `entry ${index}`);
      const seqs: number[] = [];
      let have = 0;
      for (let more = true; more;) {
        const { status, body } = await call<SyncAnswer>(frank, 'POST', '/sync', { cursors: { [id]: have }, limit: 2 });
        expect(status).toBe(200);
        const page = body.conversations.find(({ conversation }) => conversation.id === id);
        seqs.push(...(page?.entries.map((entry) => entry.seq) ?? []));
        have = seqs.at(-1) ?? 0;
        more = page?.hasMore ?? false;
      }
      expect(seqs).toEqual([1, 2, 3, 4, 5, 6]);
      const { body } = await call<SyncAnswer>(frank, 'POST', '/sync', { cursors: { [id]: have, [absent]: 3 } });
      expect(body).toMatchObject({ removed: [absent], token: expect.any(String) });
    });
  });

  describe('media', () => {
    const png = Buffer.from(
      'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
      'base64',
    );

    const upload = async (person: Person): Promise<string> => {
      const wish = { fileName: 'dot.png', contentType: 'image/png', size: png.length, purpose: 'message' };
      type Slot = { uploadId: string; method: string; url: string; headers: Record<string, string> };
      const slot = await call<Slot>(person, 'POST', '/media/upload-url', wish);
      expect(slot).toMatchObject({ status: 201, body: { method: 'PUT', expiresAt: expect.stringMatching(iso) } });
      const put = await fetch(slot.body.url, { method: 'PUT', headers: slot.body.headers, body: png });
      expect(put.status).toBe(200);
      return slot.body.uploadId;
    };

    it('given an image, when uploaded and sent, then members open it, others and before cannot', async () => {
      const { id } = await group(alice, bob);
      const path = `/conversations/${id}/messages`;
      const uploadId = await upload(alice);
      const attach = { clientMsgId: randomUUID(), attachments: [uploadId] };
      expect(await call(alice, 'POST', path, attach)).toMatchObject({
        status: 409,
        body: { code: 'UPLOAD_NOT_CONFIRMED' },
      });
      expect(await call(alice, 'POST', '/media/confirm', { uploadId })).toMatchObject({
        status: 200,
        body: { uploadId, kind: 'image', contentType: 'image/png', url: `/api/v1/media/${uploadId}/content` },
      });
      expect(await call(bob, 'POST', path, { ...attach, clientMsgId: randomUUID() })).toMatchObject({ status: 404 });
      expect((await call(bob, 'GET', `/media/${uploadId}/content`)).status).toBe(404);

      const sent = await call<{ message: Message }>(alice, 'POST', path, attach);
      expect(sent).toMatchObject({
        status: 201,
        body: { message: { type: 'image', text: '', attachments: [{ uploadId }] } },
      });
      const ready = await eventually(async () => {
        const { body } = await call<Message>(bob, 'GET', `/messages/${sent.body.message.id}`);
        return body.attachments[0]?.status === 'ready' ? body.attachments[0] : undefined;
      });
      expect(ready).toMatchObject({ width: 1, height: 1, thumbnailUrl: `/api/v1/media/${uploadId}/thumbnail` });

      for (const person of [alice, bob]) {
        const redirect = await call(person, 'GET', `/media/${uploadId}/content`);
        expect(redirect.status).toBe(302);
        expect(redirect.headers.get('cache-control')).toBe('private, max-age=60');
        const content = await fetch(redirect.headers.get('location') ?? '');
        expect(content.status).toBe(200);
        expect((await call(person, 'GET', `/media/${uploadId}/thumbnail`)).status).toBe(302);
        expect((await call(person, 'GET', `/media/${uploadId}`)).body).toEqual(ready);
      }
      for (const what of ['', '/content', '/thumbnail']) {
        expect((await call(carol, 'GET', `/media/${uploadId}${what}`)).status).toBe(404);
      }
      expect(await call(bob, 'DELETE', `/media/${uploadId}`)).toMatchObject({ status: 404 });
      expect((await call(alice, 'DELETE', `/media/${uploadId}`)).status).toBe(204);
    });
  });
});
