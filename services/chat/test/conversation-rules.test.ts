import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { banUser, liftBan } from '../src/conversations/change-bans.ts';
import { deleteConversation, updateConversation } from '../src/conversations/change-conversation.ts';
import { addMembers } from '../src/conversations/change-members.ts';
import { changeRole, transferOwnership } from '../src/conversations/change-roles.ts';
import { joinRoom } from '../src/conversations/join-room.ts';
import { listingOf, roomQueryOf } from '../src/conversations/room-listing.ts';
import type { ConversationState } from '../src/log/conversation-state.ts';
import type { ConversationChanges, ConversationType, Role } from '../src/log/entry.ts';
import { nth } from './support/nth.ts';
import { call, outcomeOf, roles, stateOf } from './support/rules.ts';

const limits = { group: 100, room: 3 };
const now = 1_000;

describe('given a conversation to change', () => {
  const update = (state: ConversationState, actorId: string, changes: ConversationChanges) =>
    outcomeOf(() => updateConversation({ actorId, conversationId: state.id, changes }, call), state);

  it('when an admin changes something, then only what is new is written, and with nothing new nothing is', () => {
    const { state, ids } = stateOf('group', 'owner', 'admin');
    const admin = nth(ids, 1);
    expect(update(state, admin, { name: 'other', description: '', slowModeSeconds: 0 })).toEqual({
      type: 'conversation:updated',
      changes: { name: 'other' },
    });
    expect(update(state, admin, { name: 'n', avatar: '', history: 'all' })).toBe('nothing');
    expect(update(state, admin, { avatar: 'a', history: 'joined', slowModeSeconds: 5 })).toMatchObject({
      changes: { avatar: 'a', history: 'joined', slowModeSeconds: 5 },
    });
  });

  it.each([
    ['group', 'moderator', 'FORBIDDEN'],
    ['room', 'member', 'FORBIDDEN'],
    ['direct', 'member', 'CONFLICT'],
  ] as const)('when it is a %s and a %s changes or deletes it, then it is refused', (type, role, code) => {
    const { state, ids } = stateOf(type, role, 'member');
    expect(update(state, nth(ids, 0), { name: 'other' })).toBe(code);
    expect(update(state, randomUUID(), { name: 'other' })).toBe('NOT_FOUND');
    const remove = { actorId: nth(ids, 0), conversationId: state.id };
    expect(outcomeOf(() => deleteConversation(remove, call), state)).toBe(code);
  });

  it('when it is deleted, then only by its owner', () => {
    const { state, ids } = stateOf('room', 'owner', 'admin');
    const remove = (actorId: string) =>
      outcomeOf(() => deleteConversation({ actorId, conversationId: state.id }, call), state);
    expect(remove(nth(ids, 0))).toEqual({ type: 'conversation:deleted' });
    expect(remove(nth(ids, 1))).toBe('FORBIDDEN');
  });
});

describe('given roles to change', () => {
  const give = (actor: Role, target: Role, role: Role, type: ConversationType = 'group') => {
    const { state, ids } = stateOf(type, actor, target);
    const change = { actorId: nth(ids, 0), conversationId: state.id, userId: nth(ids, 1), role };
    const outcome = outcomeOf(() => changeRole(change, call), state);
    return typeof outcome === 'string' ? outcome : 'written';
  };
  const rank = (role: Role) => roles.length - roles.indexOf(role);
  const all = roles.flatMap((actor) =>
    roles.flatMap((target) => roles.map((role): [Role, Role, Role] => [actor, target, role])),
  );

  it.each(all)('when a %s makes a %s a %s, then only admins and above do, below themselves', (actor, target, role) => {
    const may = rank(actor) >= 3 && rank(target) < rank(actor) && rank(role) < rank(actor);
    expect(give(actor, target, role)).toBe(!may ? 'FORBIDDEN' : target === role ? 'nothing' : 'written');
  });

  it.each([
    ['admin', 'member', 'written'],
    ['moderator', 'member', 'written'],
    ['admin', 'admin', 'nothing'],
    ['admin', 'owner', 'FORBIDDEN'],
    ['member', 'moderator', 'FORBIDDEN'],
    ['owner', 'member', 'OWNER_MUST_TRANSFER'],
  ] as const)('when a %s makes themselves a %s, then it is %s', (actor, role, expected) => {
    const { state, ids } = stateOf('group', actor, 'member');
    const own = { actorId: nth(ids, 0), conversationId: state.id, userId: nth(ids, 0), role };
    const outcome = outcomeOf(() => changeRole(own, call), state);
    expect(typeof outcome === 'string' ? outcome : 'written').toBe(expected);
  });

  it('when the last owner is alone, then they cannot step down either', () => {
    const { state, ids } = stateOf('group', 'owner');
    const own = { actorId: nth(ids, 0), conversationId: state.id, userId: nth(ids, 0), role: 'admin' as const };
    expect(outcomeOf(() => changeRole(own, call), state)).toBe('OWNER_MUST_TRANSFER');
  });

  it('when it is no member, an outsider or a direct conversation, then it is refused', () => {
    const { state, ids } = stateOf('group', 'owner', 'member');
    const change = (actorId: string, userId: string) =>
      outcomeOf(() => changeRole({ actorId, conversationId: state.id, userId, role: 'admin' }, call), state);
    expect(change(nth(ids, 0), randomUUID())).toBe('NOT_FOUND');
    expect(change(randomUUID(), nth(ids, 1))).toBe('NOT_FOUND');
    expect(give('member', 'member', 'admin', 'direct')).toBe('CONFLICT');
  });

  it('when the ownership passes on, then both roles change by one entry, and only its owner passes it', () => {
    const { state, ids } = stateOf('group', 'owner', 'member', 'admin');
    const [owner, member, admin] = [nth(ids, 0), nth(ids, 1), nth(ids, 2)];
    const transfer = (actorId: string, userId: string) =>
      outcomeOf(() => transferOwnership({ actorId, conversationId: state.id, userId }, call), state);
    expect(transfer(owner, member)).toEqual({ type: 'member:updated', userId: member, role: 'owner', demoted: owner });
    expect(transfer(owner, owner)).toBe('nothing');
    expect(transfer(owner, randomUUID())).toBe('NOT_FOUND');
    expect(transfer(admin, member)).toBe('FORBIDDEN');
    const direct = stateOf('direct', 'member', 'member');
    const inDirect = { actorId: nth(direct.ids, 0), conversationId: direct.state.id, userId: nth(direct.ids, 1) };
    expect(outcomeOf(() => transferOwnership(inDirect, call), direct.state)).toBe('CONFLICT');
  });
});

describe('given somebody to keep out', () => {
  const outsider = randomUUID();
  const ban = (state: ConversationState, actorId: string, userId: string, until: number | null = null) => {
    const change = { actorId, conversationId: state.id, userId, ban: { reason: 'spam', until } };
    return outcomeOf(() => banUser(change, call, now), state);
  };

  it.each(roles.flatMap((actor) => roles.map((target): [Role, Role] => [actor, target])))(
    'when a %s bans a %s, then only moderators and above do, and only who is below them',
    (actor, target) => {
      const { state, ids } = stateOf('group', actor, target);
      const may = actor !== 'member' && roles.indexOf(actor) < roles.indexOf(target);
      expect(ban(state, nth(ids, 0), nth(ids, 1))).toEqual(
        may ? { type: 'member:removed', userId: nth(ids, 1), ban: { reason: 'spam', until: null } } : 'FORBIDDEN',
      );
    },
  );

  it('when they are no member, then they are kept out all the same, and the same ban is written once', () => {
    const { state, ids } = stateOf('room', 'moderator', 'member');
    const moderator = nth(ids, 0);
    const banned = { userId: outsider, reason: 'spam', until: 2_000 };
    expect(ban(state, moderator, outsider, 2_000)).toEqual({ type: 'conversation:updated', changes: {}, banned });
    state.bans.set(outsider, { reason: 'spam', until: 2_000 });
    expect(ban(state, moderator, outsider, 2_000)).toBe('nothing');
    expect(ban(state, moderator, outsider, null)).toMatchObject({ banned: { until: null } });
  });

  it('when it is oneself, over already, in a direct conversation or by an outsider, then it is refused', () => {
    const { state, ids } = stateOf('group', 'owner', 'member');
    const owner = nth(ids, 0);
    expect(ban(state, owner, owner)).toBe('CONFLICT');
    expect(ban(state, owner, outsider, now)).toBe('VALIDATION_FAILED');
    expect(ban(state, outsider, owner)).toBe('NOT_FOUND');
    const direct = stateOf('direct', 'member', 'member');
    expect(ban(direct.state, nth(direct.ids, 0), nth(direct.ids, 1))).toBe('CONFLICT');
  });

  it('when they come back, then neither by themselves nor by others, until it is lifted or over', () => {
    const { state, ids } = stateOf('room', 'owner', 'member');
    const owner = nth(ids, 0);
    const conversationId = state.id;
    const join = (at: number) =>
      outcomeOf(() => joinRoom({ actorId: outsider, conversationId }, call, limits, at), state);
    const add = (at: number) =>
      outcomeOf(() => addMembers({ actorId: owner, conversationId, userIds: [outsider] }, call, limits, at), state);
    const added = { type: 'member:added', userIds: [outsider], created: null };
    state.bans.set(outsider, { reason: '', until: 2_000 });
    expect([join(1_999), add(1_999)]).toEqual(['FORBIDDEN', 'CONFLICT']);
    expect([join(2_000), add(2_000)]).toEqual([added, added]);
    const lift = (actorId: string, at: number) =>
      outcomeOf(() => liftBan({ actorId, conversationId, userId: outsider }, call, at), state);
    expect(lift(owner, now)).toEqual({ type: 'conversation:updated', changes: {}, lifted: outsider });
    expect(lift(owner, 2_000)).toBe('nothing');
    expect(lift(nth(ids, 1), now)).toBe('FORBIDDEN');
  });
});

describe('given a room to join', () => {
  const join = (state: ConversationState, actorId: string = randomUUID()) =>
    outcomeOf(() => joinRoom({ actorId, conversationId: state.id }, call, limits, now), state);

  it('when it has place, then they are in, and who is in already stays', () => {
    const { state, ids } = stateOf('room', 'owner', 'member');
    const newcomer = randomUUID();
    expect(join(state, newcomer)).toEqual({ type: 'member:added', userIds: [newcomer], created: null });
    expect(join(state, nth(ids, 0))).toBe('nothing');
  });

  it('when nobody owns it, then who joins does, and in a room with an owner they do not', () => {
    const { state } = stateOf('room');
    const [first, second] = [randomUUID(), randomUUID()];
    const owned = { type: 'member:added' as const, userIds: [first], created: null, owned: true as const };
    expect(join(state, first)).toEqual(owned);
    state.members.set(first, { role: 'owner', joinedSeq: 2, joinedAt: now, firstSeq: 1, lastMessageAt: 0 });
    expect(join(state, second)).toEqual({ type: 'member:added', userIds: [second], created: null });
  });

  it('when it is full, no room or deleted, then they are not', () => {
    expect(join(stateOf('room', 'owner', 'member', 'member').state)).toBe('MEMBER_LIMIT_REACHED');
    expect(join(stateOf('group', 'owner').state)).toBe('NOT_FOUND');
    expect(join(stateOf('direct', 'member', 'member').state)).toBe('NOT_FOUND');
    const { state } = stateOf('room');
    state.deletedAt = 1;
    expect(join(state)).toBe('NOT_FOUND');
  });
});

describe('given names of rooms', () => {
  const finds = (query: string, name: string): boolean => {
    const listing = listingOf({ id: 'id', name, memberCount: 1 });
    const asked = roomQueryOf(query);
    if (!listing || !asked) return false;
    const long = asked.longWords.every((word) => listing.words.some((one) => one.startsWith(word)));
    return long && asked.keys.every((key) => listing.keys.includes(key));
  };

  it.each([
    ['größ', 'Die Größten', true],
    ['GROSS', 'Die Größten', true],
    ['sao ca', 'Café in São Paulo', true],
    ['paulo', 'Café in São Paulo', true],
    ['aulo', 'Café in São Paulo', false],
    ['programmingx', 'programming', false],
    ['programming', 'Programming languages', true],
    ['開発', 'Rust 開発者の部屋', true],
    ['한국', '한국어 방', true],
    ['!!', 'anything!!', false],
  ])('when %j is looked for, then %j is found: %s', (query, name, found) => {
    expect(finds(query, name)).toBe(found);
  });

  it('then rooms with more members come first in steps of doubling, then by name, and empty ones not at all', () => {
    const rooms = [
      { id: '1', name: 'b', memberCount: 1 },
      { id: '2', name: 'z', memberCount: 1_000 },
      { id: '3', name: 'É', memberCount: 3 },
      { id: '4', name: 'f', memberCount: 2 },
      { id: '5', name: 'a', memberCount: 0 },
    ];
    const listed = rooms.flatMap((room) => {
      const listing = listingOf(room);
      return listing ? [{ id: room.id, place: listing.place }] : [];
    });
    expect(listed.sort((a, b) => (a.place < b.place ? -1 : 1)).map(({ id }) => id)).toEqual(['2', '3', '4', '1']);
  });
});
