import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Platform } from '@bluewave/dev-env/platform';
import { call, eventually, openDirect, type Person, register } from '../../src/api-client.ts';
import { PythonClient, pythonRuntime, type PythonRuntime } from '../../src/python-client.ts';
import { platformForTest } from '../support.ts';

type Entry = { conversationId: string; seq: number; type: string; message?: { text: string } };
type SyncAnswer = {
  ok: boolean;
  conversations: { conversation: { id: string }; entries: Entry[]; hasMore: boolean }[];
  token: string;
};

describe('a client in Python (python-socketio)', () => {
  let platform: Platform & { end(): Promise<void> };
  let runtime: PythonRuntime;
  let first = '';
  let second = '';
  const clients: PythonClient[] = [];

  beforeAll(async () => {
    [runtime, platform] = await Promise.all([pythonRuntime(), platformForTest()]);
    [first = '', second = ''] = platform.gateways;
  }, 240_000);
  afterAll(async () => {
    await Promise.all(clients.map((client) => client.close()));
    await platform?.end();
  }, 60_000);

  const start = (): PythonClient => {
    const client = new PythonClient(runtime);
    clients.push(client);
    return client;
  };
  const sendByRest = async (from: Person, id: string, text: string): Promise<void> => {
    const body = { clientMsgId: randomUUID(), text };
    await call(second, 'POST', `/conversations/${id}/messages`, { token: from.token, body });
  };
  const entriesOf = (events: Awaited<ReturnType<PythonClient['heard']>>, id: string): number[] =>
    events.flatMap(([, payload]) =>
      payload?.['conversationId'] === id && typeof payload['seq'] === 'number' ? [payload['seq']] : [],
    );

  for (const transport of ['websocket', 'polling'] as const) {
    describe(`over ${transport}`, () => {
      it('given a token that is none, when it connects, then it is refused with a problem', async () => {
        const refused = await start().connect(first, { token: 'nonsense' }, transport);

        expect(refused).toMatchObject({ ok: false, problem: { data: { code: 'TOKEN_INVALID', status: 401 } } });
      });

      it('given a conversation, when it sends, repeats, edits, deletes and errs, then each is acknowledged as the contract says', async () => {
        const [ada, bob] = [await register(first), await register(second)];
        const conversationId = await openDirect(first, ada, bob);
        const client = start();
        const send = { conversationId, clientMsgId: randomUUID(), text: 'von Python: grüß Gott 👋' };

        expect(await client.connect(first, { token: ada.token }, transport)).toEqual({ ok: true, transport });
        const sent = await client.call('message:send', send);
        expect(sent).toMatchObject({ ok: true, message: { seq: 2, text: send.text, sender: { id: ada.id } } });
        expect(await client.call('message:send', send)).toEqual({ ...sent, duplicate: true });
        const messageId = `${conversationId}:2`;
        expect(await client.call('message:edit', { messageId, text: 'edited' })).toMatchObject({
          ok: true,
          message: { text: 'edited', editedAt: expect.any(String) },
        });
        expect(await client.call('message:delete', { messageId })).toEqual({ ok: true });
        expect(await client.call('message:send', { conversationId, text: 7 })).toMatchObject({
          ok: false,
          error: { code: 'VALIDATION_FAILED', status: 400, errors: expect.any(Array) },
        });
        expect(await client.call('no:such:event', {})).toMatchObject({ ok: false, error: { code: 'UNKNOWN_EVENT' } });
        const heard = await eventually(
          () => client.heard(),
          (events) => entriesOf(events, conversationId).length === 3,
        );
        expect(entriesOf(heard, conversationId)).toEqual([2, 3, 4]);
        await client.disconnect();
      });

      it('given others who write, type and read, when it listens and was away, then it has every entry once, in order', async () => {
        const [ada, bob] = [await register(first), await register(second)];
        const conversationId = await openDirect(first, ada, bob);
        const client = start();
        await client.connect(first, { token: ada.token }, transport);
        const { conversations, token } = await client.call<SyncAnswer>('sync', { cursors: {} });
        expect(conversations.map(({ conversation, entries }) => [conversation.id, entries.length])).toEqual([
          [conversationId, 1],
        ]);

        await sendByRest(bob, conversationId, 'live');
        const live = await eventually(
          () => client.heard(),
          (events) => entriesOf(events, conversationId).includes(2),
        );
        expect(entriesOf(live, conversationId)).toEqual([2]);
        expect(await client.call('message:read', { conversationId, seq: 2 })).toEqual({ ok: true, seq: 2 });
        expect(await client.call('typing:start', { conversationId })).toEqual({ ok: true });
        expect(await client.call('presence:set', { status: 'away' })).toEqual({ ok: true });
        expect(await client.call('presence:watch', { userIds: [bob.id] })).toMatchObject({
          ok: true,
          users: [{ userId: bob.id, status: 'offline' }],
        });
        expect(await client.call('conversation:subscribe', { conversationId })).toMatchObject({
          ok: true,
          conversation: { id: conversationId, me: { readSeq: 2, unread: 0 } },
        });
        await client.disconnect();

        for (let n = 0; n < 5; n += 1) await sendByRest(bob, conversationId, `missed ${n}`);
        await client.connect(second, { token: ada.token }, transport);
        const missed = await client.call<SyncAnswer>('sync', { cursors: { [conversationId]: 2 }, token });
        expect(missed.conversations.flatMap(({ entries }) => entries.map(({ seq }) => seq))).toEqual([3, 4, 5, 6, 7]);
        expect(missed.conversations.map(({ hasMore }) => hasMore)).toEqual([false]);
        const ping = await client.call('presence:ping', { heads: { [conversationId]: 7 } });
        expect(ping).toEqual({ ok: true, serverTime: expect.any(String) });
        await client.disconnect();
      });
    });
  }
});
