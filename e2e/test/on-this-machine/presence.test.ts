import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Platform } from '@bluewave/dev-env/platform';
import { call, eventually, Listener, openDirect, type Person, register } from '../../src/api-client.ts';
import { platformForTest } from '../support.ts';

type Watched = { ok: boolean; users: { userId: string; status: string }[] };

describe('who is there, when parts of the platform are gone', () => {
  let platform: Platform & { end(): Promise<void> };
  let first = '';
  let second = '';
  const listeners: Listener[] = [];

  const listen = async (gateway: string, person: Person): Promise<Listener> => {
    const listener = await Listener.connect(gateway, person);
    listeners.push(listener);
    return listener;
  };
  const statusOf = async (watcher: Listener, person: Person): Promise<string> => {
    const { users } = await watcher.ask<Watched>('presence:watch', { userIds: [person.id] });
    return users.find(({ userId }) => userId === person.id)?.status ?? 'unknown';
  };
  const isStatus = (person: Person, status: string) => (payload: Record<string, unknown>) =>
    payload['userId'] === person.id && payload['status'] === status;

  beforeAll(async () => {
    platform = await platformForTest();
    [first = '', second = ''] = platform.gateways;
  }, 120_000);
  afterAll(async () => {
    for (const listener of listeners) listener.close();
    await platform.end();
  }, 60_000);

  it('given a Redis that is wiped, when time passes, then everybody is online again within 10 s', async () => {
    const [alice, bob] = [await register(first), await register(first)];
    await openDirect(first, alice, bob);
    const [watcher] = [await listen(first, alice), await listen(second, bob)];
    await eventually(
      () => statusOf(watcher, bob),
      (status) => status === 'online',
    );

    await wipe(platform.engines.redis);
    const wipedAt = Date.now();
    await eventually(
      () => statusOf(watcher, bob),
      (status) => status === 'online',
      20_000,
    );

    expect(Date.now() - wipedAt).toBeLessThan(10_000);
  }, 60_000);

  it('given a gateway that is killed, when its users do not come back, then they are offline within 20 s and no sooner than known', async () => {
    const [alice, bob] = [await register(first), await register(first)];
    await openDirect(first, alice, bob);
    const watcher = await listen(first, alice);
    const [gone, elsewhere] = [await listen(second, bob), await listen(first, bob)];
    gone.socket.io.reconnection(false);
    elsewhere.socket.io.reconnection(false);
    await eventually(
      () => statusOf(watcher, bob),
      (status) => status === 'online',
    );

    // With one socket left elsewhere nothing changes.
    await platform.kill('gateway-2', 'SIGKILL');
    const killedAt = Date.now();
    await platform.waitRestarted('gateway-2', 60_000);
    await pause(Math.max(0, killedAt + 20_000 - Date.now()));
    expect(await statusOf(watcher, bob)).toBe('online');

    // Now the last one goes with its gateway.
    elsewhere.close();
    const back = await listen(second, bob);
    back.socket.io.reconnection(false);
    await eventually(
      () => statusOf(watcher, bob),
      (status) => status === 'online',
    );
    watcher.heard.length = 0;
    await platform.kill('gateway-2', 'SIGKILL');
    const lastKilledAt = Date.now();
    await watcher.hears('presence', isStatus(bob, 'offline'), 40_000);

    expect(Date.now() - lastKilledAt).toBeLessThan(20_000);
    await platform.waitRestarted('gateway-2', 60_000);
  }, 180_000);

  it('given members on both gateways, when a conversation is opened, then its roster names those who are there', async () => {
    const [alice, bob, eve] = [await register(first), await register(first), await register(first)];
    const group = await call<{ id: string }>(first, 'POST', '/conversations', {
      token: alice.token,
      body: { type: 'group', name: 'club', memberIds: [bob.id, eve.id] },
    });
    const conversationId = group.body.id;
    const [opener] = [await listen(first, alice), await listen(second, bob)];
    const rosterOf = async (): Promise<string[]> => {
      const { roster } = await opener.ask<{ roster: { userId: string; status: string }[] }>('conversation:subscribe', {
        conversationId,
      });
      return roster.map(({ userId, status }) => `${userId} ${status}`).sort();
    };

    const expected = [`${alice.id} online`, `${bob.id} online`].sort();
    const roster = await eventually(rosterOf, (found) => found.length === 2);

    expect(roster).toEqual(expected);
  });

  it('given strangers, when they are watched, then nothing is told of them, also not by their profile', async () => {
    const [alice, mallory] = [await register(first), await register(first)];
    const [watcher] = [await listen(first, mallory), await listen(second, alice)];

    expect(await watcher.ask<Watched>('presence:watch', { userIds: [alice.id] })).toEqual({ ok: true, users: [] });
    const profile = await call<{ status: string; lastSeenAt: string | null }>(first, 'GET', `/users/${alice.id}`, {
      token: mallory.token,
    });
    expect(profile.body).toMatchObject({ status: 'offline', lastSeenAt: null });
    await pause(1_500);
    expect(watcher.heard.filter(({ name }) => name === 'presence')).toEqual([]);
  });
});

/** Everything in it is gone, as after a loss of its memory. */
async function wipe(redisUrl: string): Promise<void> {
  const { hostname, port } = new URL(redisUrl);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.write('FLUSHALL\r\n');
  const [answer] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  if (!answer.toString().startsWith('+OK')) throw new Error(`Redis answered ${answer.toString()}`);
}
