import { expect } from '@jest/globals';
import type { Client, Conversation } from '@bluewave/sdk';
import { keptStore } from './kept-store.ts';
import { until, type World } from './world.ts';

const only = (client: Client): Conversation | undefined => client.conversations.get()[0];

/** What somebody does on one device shows on their other one, also when that was away meanwhile. */
export async function expectDevicesAgree(world: World): Promise<void> {
  const [ada, bob] = [await world.person(), await world.person()];
  const [adas, laptop] = [await world.client(ada), await world.client(bob)];
  const phone = await world.client(await world.elsewhere(bob));
  const { id } = await adas.createGroup({ name: 'Two', memberIds: [bob.id] });
  await adas.open(id).send('hello').done;
  await until(() => [laptop, phone].every((client) => only(client)?.me.unread === 1));

  const [here, there] = [laptop.open(id), phone.open(id)];
  // What is counted is known sooner than what is shown, and only that is marked.
  await until(() => here.messages.get().length === 1);
  here.markRead();
  await until(() => only(phone)?.me.unread === 0);
  const messageId = only(laptop)?.lastMessage?.id ?? '';
  const stars = () => [here, there].map((view) => view.messages.get()[0]?.starred);
  await Promise.all([here.loaded, there.loaded]);
  await here.star(messageId);
  await until(() => stars().every((starred) => starred));
  expect((await phone.starred()).items).toMatchObject([{ id: messageId, starred: true }]);
  expect([only(phone)?.lastMessage?.starred, only(adas)?.lastMessage?.starred]).toEqual([true, false]);

  const mutedUntil = new Date(Date.now() + 3_600_000).toISOString();
  const answer = await laptop.setPreferences(id, { mutedUntil, archived: true });
  expect([answer.me, only(laptop)?.me.archived]).toMatchObject([{ mutedUntil, archived: true }, true]);
  await until(() => only(phone)?.me.archived === true);
  expect(only(phone)?.me).toEqual(only(laptop)?.me);

  phone.disconnect();
  await here.unstar(messageId);
  await laptop.setPreferences(id, { mutedUntil: null, archived: false, pinned: true, notify: 'mentions' });
  phone.connect();
  await until(() => only(phone)?.me.pinned === true);
  expect(only(phone)?.me).toMatchObject({ mutedUntil: null, archived: false, notify: 'mentions', unread: 0 });
  expect(only(phone)?.me).toEqual(only(laptop)?.me);
  await until(() => stars().every((starred) => !starred));
  expect(only(adas)?.me).toMatchObject({ archived: false, pinned: false, notify: 'all' });
}

/** Stars put on while a device is closed, or so many while it is away that they are not told one by one. */
export async function expectStarsAfterAbsence(world: World): Promise<void> {
  const bob = await world.person();
  const [laptop, store] = [await world.client(bob), keptStore()];
  const { id } = await laptop.createGroup({ name: 'Stars', memberIds: [] });
  const here = laptop.open(id);
  const sent = await Promise.all(Array.from({ length: 205 }, (_, index) => here.send(`${index}`).done));
  const last = sent.at(-1)?.id ?? '';
  await here.star(last);

  const elsewhere = await world.elsewhere(bob);
  const options = { store, kept: 300, window: 300 };
  const before = await world.client(elsewhere, options);
  const shownBefore = before.open(id).messages;
  await until(() => shownBefore.get().filter(({ starred }) => starred).length === 1);
  await before.close();
  await here.unstar(last);
  const [first] = sent;
  await here.star(first?.id ?? '');
  const phone = await world.client(elsewhere, options);
  const there = phone.open(id).messages;
  const starred = () => there.get().flatMap((message) => (message.starred ? [message.id] : []));
  await until(() => starred().join() === first?.id);

  phone.disconnect();
  await here.unstar(first?.id ?? '');
  for (const { id: messageId } of sent.slice(1)) await here.star(messageId);
  phone.connect();
  await until(() => starred().length === sent.length - 1);
  expect(starred()).toEqual(sent.slice(1).map((message) => message.id));
  expect(only(phone)?.lastMessage?.starred).toBe(true);
}

/** Reactions, pins, replies and threads as everybody sees them; a reply survives a reload before it was sent. */
export async function expectMarksAndReplies(world: World): Promise<void> {
  const [ada, bob] = [await world.person(), await world.person()];
  const [adas, store] = [await world.client(ada), keptStore()];
  const { id } = await adas.createGroup({ name: 'Two', memberIds: [bob.id] });
  const mine = adas.open(id);
  const root = await mine.send('who comes?').done;

  const away = await world.client(bob, { store });
  away.disconnect();
  const view = away.open(id);
  await view.loaded;
  const body = { text: 'I do', replyTo: root.id, threadRootId: root.id, mentions: [ada.id] };
  const { message } = view.send(body);
  expect(message).toMatchObject({ replyTo: { preview: 'who comes?' }, threadRootId: root.id, mentions: [ada.id] });
  await away.close();

  const theirs = (await world.client(bob, { store })).open(id);
  await until(() => mine.messages.get().length === 2);
  expect(mine.messages.get()).toMatchObject([
    { thread: { replies: 1 } },
    { text: 'I do', replyTo: { messageId: root.id, preview: 'who comes?' }, mentions: [ada.id] },
  ]);
  // The platform's own count comes a moment later, and is the one that stays.
  await until(() => only(adas)?.me.unread === 1 && only(adas)?.me.unreadMentions === 1);

  await theirs.react(root.id, '👍');
  await mine.react(root.clientMsgId, '👍');
  await mine.pin(root.id);
  await until(() => [mine, theirs].every((one) => one.messages.get()[0]?.pinned));
  const reactions = [{ emoji: '👍', count: 2, mine: true }];
  expect([mine, theirs].map((one) => one.messages.get()[0]?.reactions)).toEqual([reactions, reactions]);
  await theirs.unreact(root.id, '👍');
  await mine.unpin(root.id);
  await mine.edit(root.id, 'who is coming?');
  await until(() => theirs.messages.get()[1]?.replyTo?.preview === 'who is coming?');
  expect(theirs.messages.get()[0]).toMatchObject({
    ...{ pinned: false, text: 'who is coming?' },
    reactions: [{ emoji: '👍', count: 1, mine: false }],
  });

  const calling = mine.edit(root.id, 'who, @bob?', { mentions: [bob.id] });
  expect(mine.messages.get()[0]).toMatchObject({ text: 'who, @bob?', mentions: [bob.id], changing: true });
  expect(await calling).toMatchObject({ mentions: [bob.id] });
  await until(() => theirs.messages.get()[0]?.mentions[0] === bob.id);
  await mine.edit(root.id, 'who is coming?');
  await until(() => theirs.messages.get()[0]?.text === 'who is coming?');
  expect([mine, theirs].map((one) => one.messages.get()[0]?.mentions)).toEqual([[bob.id], [bob.id]]);

  const other = await adas.createGroup({ name: 'Other', memberIds: [] });
  const results = await mine.forward(root.id, [other.id, crypto.randomUUID()]);
  expect(results).toMatchObject([
    { ok: true, message: { text: 'who is coming?', forwarded: { from: root.id, hops: 1 } } },
    { ok: false, error: { code: 'NOT_FOUND' } },
  ]);
  await expect(theirs.pin(root.id)).rejects.toMatchObject({ code: 'FORBIDDEN', retryable: false });
}

/** A room from its making to its end, as its owner and as somebody who finds it see it. */
export async function expectRooms(world: World): Promise<void> {
  const [ada, bob] = [await world.person(), await world.person()];
  const [adas, bobs] = [await world.client(ada), await world.client(bob)];
  const name = `looms ${ada.username}`;
  const { id } = await adas.createRoom({ name });
  const find = async () => (await bobs.discoverRooms({ q: ada.username })).items;
  expect(await find()).toMatchObject([{ id, name, me: null }]);
  expect((await bobs.joinRoom(id)).me.role).toBe('member');
  await until(() => only(adas)?.memberCount === 2 && only(bobs)?.id === id);

  const changed = await adas.updateConversation(id, { description: 'About looms', slowModeSeconds: 5 });
  expect([changed, only(adas)]).toMatchObject([{ slowModeSeconds: 5 }, { description: 'About looms' }]);
  await until(() => only(bobs)?.description === 'About looms');
  await expect(bobs.updateConversation(id, { description: '' })).rejects.toMatchObject({ code: 'FORBIDDEN' });

  await adas.api('conversationsTransfer', { params: { id }, body: { userId: bob.id } });
  await until(() => only(adas)?.me.role === 'admin' && only(bobs)?.me.role === 'owner');
  await expect(bobs.leave(id)).rejects.toMatchObject({ code: 'OWNER_MUST_TRANSFER' });
  await bobs.deleteConversation(id);
  await until(() => adas.conversations.get().length === 0);
  expect([bobs.conversations.get(), await find()]).toEqual([[], []]);
}

/** Contacts, and somebody who is blocked and does not learn of it. */
export async function expectContactsAndBlocks(world: World): Promise<void> {
  const [ada, bob] = [await world.person(), await world.person()];
  const adas = await world.client(ada);
  await adas.putContact(bob.id);
  await adas.putContact(bob.id, { alias: 'Bobby' });
  expect((await adas.contacts()).items).toMatchObject([{ user: { id: bob.id }, alias: 'Bobby' }]);
  await adas.removeContact(bob.id);
  await adas.block(bob.id);
  expect([(await adas.contacts()).items, (await adas.blocks({ limit: 10 })).items]).toMatchObject([
    [],
    [{ user: { id: bob.id } }],
  ]);
  await adas.unblock(bob.id);
  expect((await adas.blocks()).items).toEqual([]);
  await expect(adas.block(ada.id)).rejects.toMatchObject({ code: 'VALIDATION_FAILED', retryable: false });
}
