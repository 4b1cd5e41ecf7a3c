import { expect } from '@jest/globals';
import type { Clock } from '@bluewave/sdk';
import { keptStore } from './kept-store.ts';
import { until, type Person, type World } from './world.ts';

/** Time that can be set. */
function jumpingClock(): Clock & { jump(ms: number): void } {
  let offset = 0;
  return {
    now: () => Date.now() + offset,
    after(ms, action) {
      const timer = setTimeout(action, ms);
      return () => clearTimeout(timer);
    },
    jump: (ms) => void (offset += ms),
  };
}

async function textsOf({ api }: Person, id: string): Promise<string[]> {
  return (await api('messagesList', { params: { id }, query: { limit: 200 } })).items.map(({ text }) => text);
}

async function direct(world: World) {
  const [ada, bob] = [await world.person(), await world.person()];
  const { id } = await ada.api('conversationsCreate', { body: { type: 'direct', userId: bob.id } });
  return { ada, bob, id };
}

/** The page is reloaded after the platform took the message and before its answer came back. */
export async function expectOneMessageThroughReload(world: World): Promise<void> {
  const { ada, id } = await direct(world);
  const store = keptStore();
  const proxy = await world.proxy();
  const before = await world.client(ada, { url: proxy.url, store });
  await proxy.mute();
  const { message, done } = before.open(id).send('once');
  const later = before.open(id).send('and then this');
  while ((await textsOf(ada, id)).length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  expect(message.status).toBe('sending');
  await before.close();
  await expect(done).rejects.toMatchObject({ code: 'CLOSED' });
  await expect(later.done).rejects.toMatchObject({ code: 'CLOSED' });

  const after = await world.client(ada, { store, offline: true });
  const view = after.open(id);
  await view.loaded;
  expect(view.messages.get().map(({ key, status }) => [key, status])).toEqual([
    [message.key, 'sending'],
    [later.message.key, 'sending'],
  ]);
  after.connect();
  await until(() => view.messages.get().every(({ status }) => status === 'sent'));
  expect(await textsOf(ada, id)).toEqual(['once', 'and then this']);
  expect((await store.load()).outbox).toEqual([]);
}

/** The network goes, the token expires, the clock jumps both ways; the network comes back. */
export async function expectOneRefreshAfterOffline(world: World): Promise<void> {
  const { ada, id } = await direct(world);
  const proxy = await world.proxy();
  const clock = jumpingClock();
  let refreshed = 0;
  const client = await world.client(ada, { url: proxy.url, clock, onSession: () => void (refreshed += 1) });
  await proxy.setLink({ refuses: true });
  await until(() => client.connection.get().status === 'waiting');
  clock.jump(30 * 24 * 3_600_000);
  const view = client.open(id);
  const sendings = ['one', 'two'].map((text) => view.send(text));
  clock.jump(-3_600_000);
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect([refreshed, view.messages.get().map(({ status }) => status)]).toEqual([0, ['sending', 'sending']]);
  await proxy.heal();
  client.connect();
  await Promise.all(sendings.map(({ done }) => done));
  expect([refreshed, await textsOf(ada, id)]).toEqual([1, ['one', 'two']]);
}

/** Everywhere else this user logs out of all sessions. */
export async function expectSignedOutWhenRevoked(world: World): Promise<void> {
  const ada = await world.person();
  const client = await world.client(ada);
  const told: string[] = [];
  client.on('session:revoked', () => told.push('session:revoked'));
  await (await world.elsewhere(ada)).api('authLogoutAll', { body: {} });
  await until(() => client.connection.get().status === 'signed-out', 3_000);
  expect(told).toEqual(['session:revoked']);
  expect(client.connection.get()).toMatchObject({ error: { code: 'SIGNED_OUT', retryable: false } });
  await expect(client.searchUsers('a')).rejects.toMatchObject({ code: 'SIGNED_OUT' });
}

/** Refusals for good: of a message, and of a change of somebody else's. */
export async function expectRollBack(world: World): Promise<void> {
  const { ada, bob, id } = await direct(world);
  const [adas, bobs] = [await world.client(ada), await world.client(bob)];
  const [mine, theirs] = [adas.open(id), bobs.open(id)];
  const refused = mine.send('  ');
  await expect(refused.done).rejects.toMatchObject({ code: 'EMPTY_MESSAGE', retryable: false });
  const { message, done } = mine.send('mine');
  await done;
  await until(() => theirs.messages.get().length === 1);
  const change = theirs.edit(`${theirs.messages.get()[0]?.id}`, 'not mine');
  expect(theirs.messages.get()[0]).toMatchObject({ text: 'not mine', changing: true });
  await expect(change).rejects.toMatchObject({ code: 'FORBIDDEN', retryable: false });
  expect(theirs.messages.get()[0]).toMatchObject({ text: 'mine', changing: false });
  expect(mine.messages.get().map(({ status, problem }) => [status, problem?.code])).toEqual([
    [expect.stringMatching(/sent|delivered/), undefined],
    ['failed', 'EMPTY_MESSAGE'],
  ]);
  await expect(mine.retry(refused.message.key)?.done).rejects.toMatchObject({ code: 'EMPTY_MESSAGE' });
  await mine.delete(mine.messages.get()[1]?.key ?? '');
  expect(mine.messages.get().map(({ key }) => key)).toEqual([message.key]);
  expect(() => mine.send('x'.repeat(50_000))).toThrow('The message is too large.');
}

/** A device that was away for more than a page, and one that is new. */
export async function expectCatchUp(world: World): Promise<void> {
  const { ada, bob, id } = await direct(world);
  const store = keptStore();
  await (await world.client(bob, { store })).close();
  const adas = await world.client(ada);
  for (let count = 0; count < 250; count += 1) {
    await ada.api('messagesSend', { params: { id }, body: { clientMsgId: crypto.randomUUID(), text: `${count}` } });
  }
  // Behind the same gateway: what it is told of is no longer on its way to those who come.
  await until(() => adas.conversations.get()[0]?.head === 251);
  const [old, fresh] = [
    await world.client(bob, { store, offline: true }),
    await world.client(await world.elsewhere(bob), { window: 40, offline: true }),
  ];
  const seen = [old, fresh].map((client) => {
    const entries: [number, boolean][] = [];
    client.on('entry', ({ entry, live }) => entries.push([entry.seq, live]));
    client.connect();
    return entries;
  });
  await until(() => old.synced.get() && fresh.synced.get());
  const entries = (from: number) => Array.from({ length: 252 - from }, (_, at) => [from + at, false]);
  expect(seen).toEqual([entries(2), entries(212)]);
  expect(old.conversations.get()[0]).toMatchObject({ head: 251, me: { unread: 250 }, lastMessage: { text: '249' } });
  const view = fresh.open(id);
  while (await view.loadOlder());
  expect(view.messages.get().map(({ text }) => text)).toEqual(Array.from({ length: 250 }, (_, count) => `${count}`));
  expect((await store.messages(id)).map(({ message }) => message.text)).toEqual(
    Array.from({ length: 50 }, (_, count) => `${count + 200}`),
  );
}

/** Two devices of one user, and receipts from all members of a group. */
export async function expectConvergence(world: World): Promise<void> {
  const [ada, bob, eve] = [await world.person(), await world.person(), await world.person()];
  const adas = await world.client(ada);
  const { id } = await adas.createGroup({ name: 'Three', memberIds: [bob.id, eve.id] });
  const [bobs, phone, eves] = [
    await world.client(bob),
    await world.client(await world.elsewhere(bob)),
    await world.client(eve),
  ];
  const mine = adas.open(id);
  await mine.send('for all').done;
  await until(() => mine.messages.get()[0]?.status === 'delivered');
  // One device of each is enough for that.
  const theirs = bobs.open(id);
  await until(() => theirs.messages.get().length === 1);
  await until(() => [bobs, phone].every((client) => client.conversations.get()[0]?.me.unread === 1));
  theirs.markRead();
  await until(() => phone.conversations.get()[0]?.me.unread === 0);
  expect(mine.messages.get()[0]?.status).toBe('delivered');
  eves.open(id).markRead();
  await until(() => mine.messages.get()[0]?.status === 'read');
  await adas.removeMember(id, eve.id);
  await until(() => eves.conversations.get().length === 0);
  await adas.addMembers(id, [eve.id]);
  const again = eves.open(id);
  await until(() => again.messages.get().length === 1 && again.conversation.get()?.memberCount === 3);
  expect(again.messages.get()[0]?.text).toBe('for all');
}

/** The gateway is told to end while messages are sent: nobody notices but for a moment. */
export async function expectSendsThroughDrain(world: World): Promise<void> {
  const { ada, bob, id } = await direct(world);
  const [adas, bobs] = [await world.client(ada), await world.client(bob)];
  const seen: string[] = [];
  bobs.on('message:new', ({ message }) => seen.push(message.text));
  const told: number[] = [];
  adas.on('server:draining', ({ retryAfterMs }) => told.push(retryAfterMs));
  const mine = adas.open(id);
  const sendings = ['a', 'b', 'c'].map((text) => mine.send(text));
  const killed = world.platform.kill('gateway-1', 'SIGTERM');
  for (const text of ['d', 'e', 'f']) {
    sendings.push(mine.send(text));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await killed;
  await Promise.all(sendings.map(({ done }) => done));
  await until(() => seen.length === 6);
  expect([seen, told.length]).toEqual([['a', 'b', 'c', 'd', 'e', 'f'], 1]);
  await world.platform.waitRestarted('gateway-1', 15_000);
}

/** Somebody else signs in on the same device. */
export async function expectUsersApart(world: World): Promise<void> {
  const { ada, bob, id } = await direct(world);
  const store = keptStore();
  const adas = await world.client(ada, { store });
  adas.disconnect();
  adas.open(id).send('of ada');
  await adas.close();

  const tokenProvider = async (): Promise<string> => bob.session.accessToken;
  const confused = await world.client(bob, { store, session: undefined, tokenProvider, offline: true });
  confused.connect();
  await until(() => confused.connection.get().status === 'signed-out');
  expect(confused.connection.get()).toMatchObject({ error: { code: 'OTHER_USER', retryable: false } });
  await confused.close();

  const bobs = await world.client(bob, { store });
  expect([bobs.user.get()?.id, bobs.open(id).messages.get(), (await store.load()).outbox]).toEqual([bob.id, [], []]);
  expect(await textsOf(ada, id)).toEqual([]);
}
