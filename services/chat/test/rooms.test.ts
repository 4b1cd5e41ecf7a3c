import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type ChatUnderTest, eventually, startChatUnderTest } from './support/chat-under-test.ts';
import { codeOf } from './support/outcomes.ts';

let chat: ChatUnderTest;
beforeAll(async () => void (chat = await startChatUnderTest()));
afterAll(() => chat.close());

const discover = async (actorId: string, query: string, limit = 10, cursor = '') => {
  const { conversations, nextCursor } = await chat.replicas[1].insist.DiscoverRooms({ actorId, query, limit, cursor });
  return { names: conversations.map(({ info }) => info?.name), conversations, nextCursor };
};

describe('given rooms', () => {
  it('when they are looked for by beginnings of words, then case and accents do not matter', async () => {
    const [first] = chat.replicas;
    const [owner, guest] = [randomUUID(), randomUUID()];
    const id = await first.room(owner, 'Größte Maschinen');
    await first.room(owner, 'Kleine Maschinen');
    expect((await discover(guest, 'grosste')).names).toEqual(['Größte Maschinen']);
    expect(new Set((await discover(guest, 'MASCH')).names)).toEqual(new Set(['Größte Maschinen', 'Kleine Maschinen']));
    expect((await discover(guest, 'masch gross')).names).toEqual(['Größte Maschinen']);
    expect((await discover(guest, 'aschinen')).names).toEqual([]);
    await first.insist.UpdateConversation({ actorId: owner, conversationId: id, name: 'Renamed' });
    expect((await discover(guest, 'grosste')).names).toEqual([]);
    expect((await discover(guest, 'renam')).names).toEqual(['Renamed']);
  });

  it('when they are listed page by page, then the large ones come first and each comes once', async () => {
    const [first] = chat.replicas;
    const [owner, guest] = [randomUUID(), randomUUID()];
    const word = `w${randomUUID().slice(0, 6)}`;
    const ids = [];
    for (const name of ['d', 'c', 'b', 'a']) ids.push(await first.room(owner, `${word} ${name}`));
    const large = ids[0] ?? '';
    await first.insist.JoinConversation({ actorId: randomUUID(), conversationId: large });
    const pages = [];
    let cursor = '';
    do {
      const page = await discover(guest, word, 2, cursor);
      pages.push(page.names);
      cursor = page.nextCursor;
    } while (cursor !== '');
    expect(pages).toEqual([
      [`${word} d`, `${word} a`],
      [`${word} b`, `${word} c`],
    ]);
  });

  it('when the list is asked for without words, then every room that somebody is in is in it, and no group', async () => {
    const [first] = chat.replicas;
    const [owner, guest] = [randomUUID(), randomUUID()];
    await first.group(owner, guest);
    const [kept, empty] = [await first.room(owner, 'Kept'), await first.room(owner, 'Left by all')];
    await codeOf(first.insist.RemoveMember({ actorId: owner, conversationId: empty, userId: owner }));
    const found = await discover(guest, '', 200);
    const ids = found.conversations.map(({ info }) => info?.id);
    expect(ids).toContain(kept);
    expect(ids).not.toContain(empty);
    expect(found.conversations.every(({ info }) => info?.type === 'room')).toBe(true);
    const mine = await discover(owner, 'kept');
    expect(mine.conversations.find(({ info }) => info?.id === kept)?.me?.role).toBe('owner');
    expect(found.conversations.find(({ info }) => info?.id === kept)?.me).toBeNull();
  });

  it('when somebody who is no member reads one, then its face is there and nothing in it is', async () => {
    const [first, second] = chat.replicas;
    const [owner, guest] = [randomUUID(), randomUUID()];
    const conversationId = await first.room(owner, 'Open');
    await first.say(owner, conversationId, 'inside');
    const room = { actorId: guest, conversationId };
    expect(await second.insist.GetConversation({ ...room, orRoom: true })).toMatchObject({
      info: { name: 'Open', type: 'room', memberCount: 1, head: 2 },
      lastMessage: null,
      me: null,
    });
    expect(await codeOf(second.insist.GetConversation(room))).toBe('NOT_FOUND');
    expect(await codeOf(second.insist.ListMembers({ ...room, limit: 10, cursor: '' }))).toBe('NOT_FOUND');
    expect(await codeOf(second.insist.ListMessages({ ...room, limit: 10 }))).toBe('NOT_FOUND');
    expect(await codeOf(second.insist.ListEntries({ ...room, after: 0, limit: 10 }))).toBe('NOT_FOUND');
    const group = await first.group(owner, randomUUID());
    const hidden = { actorId: guest, conversationId: group, orRoom: true };
    expect(await codeOf(second.insist.GetConversation(hidden))).toBe('NOT_FOUND');
  });

  it('when somebody joins twice, then once, and they read it all or from there on, as the room says', async () => {
    const [first, second] = chat.replicas;
    const owner = randomUUID();
    for (const [history, texts] of [
      ['all', ['before', 'after']],
      ['joined', ['after']],
    ] as const) {
      const { conversation } = await first.insist.CreateConversation({
        ...{ actorId: owner, userIds: [], type: 'room', name: history, description: 'd', idempotencyKey: '', history },
      });
      const conversationId = conversation?.info?.id ?? '';
      await first.say(owner, conversationId, 'before');
      const guest = { actorId: randomUUID(), conversationId };
      expect(await second.insist.JoinConversation(guest)).toMatchObject({
        info: { memberCount: 2, history, description: 'd' },
        me: { role: 'member', unread: 0 },
      });
      expect((await first.insist.JoinConversation(guest)).info?.head).toBe(3);
      await first.say(owner, conversationId, 'after');
      const { messages } = await second.insist.ListMessages({ ...guest, limit: 10 });
      expect(messages.filter(({ type }) => type === 'text').map(({ text }) => text)).toEqual(texts);
      expect(messages.find(({ type }) => type === 'system')).toMatchObject({
        senderId: guest.actorId,
        system: { event: 'joined', userIds: [guest.actorId] },
      });
    }
  });
});

describe('given somebody who is kept out of a room', () => {
  const scene = async () => {
    const [first] = chat.replicas;
    const [owner, guest, moderator] = [randomUUID(), randomUUID(), randomUUID()];
    const conversationId = await first.room(owner, `Kept ${guest.slice(0, 8)}`);
    for (const actorId of [guest, moderator]) await first.insist.JoinConversation({ actorId, conversationId });
    await first.insist.ChangeRole({ actorId: owner, conversationId, userId: moderator, role: 'moderator' });
    const ban = (untilMs: number) =>
      first.insist.BanUser({ actorId: moderator, conversationId, userId: guest, reason: 'spam', untilMs });
    return { owner, guest, moderator, conversationId, ban };
  };

  it('when they are banned, then they are out, find it no more and cannot come back, on both replicas', async () => {
    const { owner, guest, moderator, conversationId, ban } = await scene();
    await ban(0);
    await ban(0);
    for (const { insist: call } of chat.replicas) {
      expect(await codeOf(call.JoinConversation({ actorId: guest, conversationId }))).toBe('FORBIDDEN');
      expect(await codeOf(call.AddMembers({ actorId: owner, conversationId, userIds: [guest] }))).toBe('CONFLICT');
      expect(await codeOf(call.ListMessages({ actorId: guest, conversationId, limit: 10 }))).toBe('NOT_FOUND');
      const list = { conversationId, limit: 10, cursor: '' };
      const { bans } = await call.ListBans({ actorId: moderator, ...list });
      expect(bans).toEqual([{ userId: guest, reason: 'spam', untilMs: 0 }]);
    }
    expect((await discover(guest, `kept ${guest.slice(0, 8)}`)).names).toEqual([]);
    expect((await discover(randomUUID(), `kept ${guest.slice(0, 8)}`)).names).toHaveLength(1);
    const log = await chat.log(conversationId);
    expect(log.map(({ body }) => body.type)).toEqual([
      ...['member:added', 'member:added', 'member:added', 'member:updated', 'member:removed'],
    ]);
  });

  it('when the ban is lifted or its time is over, then they may join again', async () => {
    const { owner, guest, moderator, conversationId, ban } = await scene();
    const join = () => codeOf(chat.replicas[1].insist.JoinConversation({ actorId: guest, conversationId }));
    await ban(0);
    for (let time = 0; time < 2; time += 1) {
      await chat.replicas[1].insist.LiftBan({ actorId: moderator, conversationId, userId: guest });
    }
    expect(await join()).toBe('done');
    await ban(Date.now() + 3_600_000);
    expect(await join()).toBe('FORBIDDEN');
    const until = Date.now() + 5_000;
    await ban(until);
    const list = { actorId: owner, conversationId, limit: 10, cursor: '' };
    await eventually(async () => ((await join()) === 'done' ? true : undefined), 20_000);
    expect(Date.now()).toBeGreaterThanOrEqual(until);
    expect(await chat.replicas[0].insist.ListBans(list)).toEqual({ bans: [], nextCursor: '' });
  }, 30_000);

  it('when a plain member asks who is kept out or bans, then it is refused', async () => {
    const { guest, owner, conversationId } = await scene();
    const { insist: call } = chat.replicas[0];
    const list = { actorId: guest, conversationId, limit: 10, cursor: '' };
    expect(await codeOf(call.ListBans(list))).toBe('FORBIDDEN');
    const ban = { actorId: guest, conversationId, userId: owner, reason: '', untilMs: 0 };
    expect(await codeOf(call.BanUser(ban))).toBe('FORBIDDEN');
  });
});
