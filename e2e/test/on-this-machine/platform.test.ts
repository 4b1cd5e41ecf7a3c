import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  call,
  eventually,
  Listener,
  openDirect,
  type Person,
  register,
  type SessionBody,
} from '../../src/api-client.ts';
import { type PlatformForTest, platformForTest } from '../support.ts';

type Inbox = { items: { message: { notification: object; data: Record<string, string>; android?: object } }[] };

/** What only the machine that runs the platform can see: its seeded accounts, logs, metrics and phones. */
describe('a platform on this machine', () => {
  let platform: PlatformForTest;
  let first = '';
  let second = '';

  const send = (person: Person, conversationId: string, text: string) =>
    call<{ message: { seq: number } }>(first, 'POST', `/conversations/${conversationId}/messages`, {
      token: person.token,
      body: { clientMsgId: randomUUID(), text },
    });

  beforeAll(async () => {
    platform = await platformForTest();
    [first = '', second = ''] = platform.gateways;
  }, 90_000);

  afterAll(() => platform.end(), 60_000);

  it('given the seeded accounts, when alice logs in by name or by e-mail, then she gets a session', async () => {
    const [alice] = platform.users;
    for (const identifier of [alice?.username, alice?.email]) {
      const answer = await call<SessionBody>(first, 'POST', '/auth/login', {
        body: { identifier, password: alice?.password },
      });
      expect(answer).toMatchObject({ status: 200, body: { user: { username: 'alice' }, expiresIn: 900 } });
      const me = await call(second, 'GET', '/users/me', { token: answer.body.accessToken });
      expect(me).toMatchObject({ status: 200, body: { username: 'alice', email: alice?.email } });
    }
    expect(
      await call(first, 'POST', '/auth/login', { body: { identifier: 'alice', password: 'wrong one' } }),
    ).toMatchObject({
      status: 401,
      body: { code: 'INVALID_CREDENTIALS' },
    });
  });

  it('given every process, when its metrics are scraped, then they are there', async () => {
    expect(platform.metrics).toHaveLength(6);
    for (const url of platform.metrics) {
      expect(await (await fetch(url)).text()).toContain('process_cpu_seconds_total');
    }
  });

  it('given a send with a trace id, when it is pushed, then the same id is in the logs from the door to the push', async () => {
    const [alice, bob] = [await register(first), await register(first)];
    const id = await openDirect(first, alice, bob);
    const token = `phone-${randomUUID()}`;
    const path = `/devices/${bob.deviceId}/push-token`;
    await call(first, 'PUT', path, { token: bob.token, body: { provider: 'fcm', token } });
    const traceId = randomUUID().replaceAll('-', '');
    const sent = await call(first, 'POST', `/conversations/${id}/messages`, {
      token: alice.token,
      headers: { traceparent: `00-${traceId}-${traceId.slice(0, 16)}-01` },
      body: { clientMsgId: randomUUID(), text: 'follow me' },
    });
    expect(sent.headers.get('x-trace-id')).toBe(traceId);
    const logs = join(platform.dataDir, 'logs');
    const namesIt = (part: string): boolean =>
      readdirSync(logs)
        .filter((file) => file.startsWith(part))
        .some((file) => readFileSync(join(logs, file), 'utf8').includes(traceId));
    await eventually(
      () => Promise.resolve([namesIt('gateway'), namesIt('push')]),
      (named) => named.every(Boolean),
    );
  });

  it('given an offline device with a token, when a message comes, then its phone is notified, an online one is not', async () => {
    const [alice, bob, carol] = [await register(first), await register(first), await register(first)];
    const { body } = await call<{ id: string }>(first, 'POST', '/conversations', {
      token: alice.token,
      body: { type: 'group', name: 'trio', memberIds: [bob.id, carol.id] },
    });
    const tokenOf = async (person: Person): Promise<string> => {
      const token = `phone-${randomUUID()}`;
      const path = `/devices/${person.deviceId}/push-token`;
      const put = await call(first, 'PUT', path, { token: person.token, body: { provider: 'fcm', token } });
      expect(put.status).toBe(204);
      return token;
    };
    const [offline, online] = [await tokenOf(bob), await tokenOf(carol)];
    const connected = await Listener.connect(second, carol);
    // Presence is told while a device is let in, not before; a message of that very moment may reach it both ways.
    const watcher = await Listener.connect(first, alice);
    await eventually(
      () => watcher.ask<{ users: { status: string }[] }>('presence:watch', { userIds: [carol.id] }),
      ({ users: [known] }) => known?.status === 'online',
    );
    const sent = await send(alice, body.id, 'are you there?');
    const { seq } = sent.body.message;
    await connected.hears('message:new');
    await connected.ask('message:delivered', { conversationId: body.id, seq });
    const inbox = async (token: string): Promise<Inbox> =>
      (await (await fetch(`${platform.fcm}/inbox?token=${token}`)).json()) as Inbox;
    const { items } = await eventually(
      () => inbox(offline),
      (answer) => answer.items.length > 0,
    );
    expect(items).toHaveLength(1);
    expect(items[0]?.message).toMatchObject({
      notification: { body: 'are you there?' },
      data: { conversationId: body.id, messageId: `${body.id}:${seq}`, seq: String(seq) },
    });
    await new Promise((resolve) => setTimeout(resolve, 6_000));
    expect((await inbox(online)).items).toEqual([]);
    await call(first, 'POST', '/auth/logout', { token: bob.token, body: {} });
    await send(alice, body.id, 'still there?');
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect((await inbox(offline)).items).toHaveLength(1);
    for (const listener of [connected, watcher]) listener.close();
  }, 30_000);
});
