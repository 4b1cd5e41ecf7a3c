import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { changeRole } from '../src/conversations/change-roles.ts';
import { applyEntry, type ConversationState, emptyState } from '../src/log/conversation-state.ts';
import type { Role } from '../src/log/entry.ts';
import { type ChatUnderTest, startChatUnderTest } from './support/chat-under-test.ts';
import { nth } from './support/nth.ts';
import { codeOf } from './support/outcomes.ts';
import type { Replica } from './support/replica.ts';
import { call } from './support/rules.ts';

let chat: ChatUnderTest;
beforeAll(async () => void (chat = await startChatUnderTest()));
afterAll(() => chat.close());

const rounds = 5;
const replicaOf = (index: number): Replica => nth(chat.replicas, index % 2);

/** What the log adds up to; each entry must follow the one before. */
async function foldLog(conversationId: string): Promise<ConversationState> {
  const state = emptyState(conversationId);
  for (const entry of await chat.log(conversationId)) applyEntry(state, entry);
  return state;
}

/** That both replicas, and a device that syncs with each, say of the members what the log says. */
async function expectAgreement(conversationId: string, actorId: string): Promise<ConversationState> {
  const state = await foldLog(conversationId);
  const expected = [...state.members].map(([userId, { role }]) => `${userId} ${role}`).sort();
  for (const { insist: ask } of chat.replicas) {
    const actor = { actorId, conversationId };
    const { members } = await ask.ListMembers({ ...actor, limit: 200, cursor: '' });
    expect(members.map(({ userId, role }) => `${userId} ${role}`).sort()).toEqual(expected);
    const { info } = await ask.GetConversation(actor);
    expect(info).toMatchObject({ memberCount: expected.length, head: state.head });
    const cursors = { [conversationId]: 0 };
    const synced = await ask.Sync({ actorId, cursors, token: '', limit: 200 });
    const seen = synced.conversations.find(({ conversation }) => conversation?.info?.id === conversationId);
    expect(seen?.entries.map(({ seq }) => seq)).toEqual(Array.from({ length: state.head }, (_, index) => index + 1));
  }
  return state;
}

describe('given a room', () => {
  it('when 50 join at once, each from both sides, then each is in once and everybody agrees', async () => {
    const owner = randomUUID();
    const conversationId = await replicaOf(0).room(owner, 'Popular');
    const guests = Array.from({ length: 50 }, () => randomUUID());
    const joins = guests.flatMap((actorId) =>
      chat.replicas.map((replica) => replica.insist.JoinConversation({ actorId, conversationId })),
    );
    await Promise.all(joins);
    const state = await expectAgreement(conversationId, owner);
    expect([...state.members.keys()].sort()).toEqual([owner, ...guests].sort());
    expect(state.head).toBe(51);
  }, 120_000);

  it('when all have left and 50 join at once, then the first of them owns it, and everybody agrees', async () => {
    const owner = randomUUID();
    const conversationId = await replicaOf(0).room(owner, 'Left and found');
    await replicaOf(1).insist.RemoveMember({ actorId: owner, conversationId, userId: owner });
    const guests = Array.from({ length: 50 }, () => randomUUID());
    await Promise.all(
      guests.map((actorId, index) => replicaOf(index).insist.JoinConversation({ actorId, conversationId })),
    );
    const state = await expectAgreement(conversationId, nth(guests, 0));
    expect([...state.members.keys()].sort()).toEqual([...guests].sort());
    const first = [...state.members].find(([, { joinedSeq }]) => joinedSeq === 3)?.[0];
    const owners = [...state.members].filter(([, { role }]) => role === 'owner').map(([userId]) => userId);
    expect(owners).toEqual([first]);
    expect(state.head).toBe(52);
    const change = { actorId: first ?? '', conversationId, name: 'Governed again' };
    expect((await replicaOf(1).insist.UpdateConversation(change)).info?.name).toBe('Governed again');
    // One who comes back to it is a member like everybody else.
    const returned = await replicaOf(0).insist.JoinConversation({ actorId: owner, conversationId });
    expect(returned.me?.role).toBe('member');
  }, 120_000);

  it('when somebody joins while they are banned, then they are out in the end, whoever was first', async () => {
    const owner = randomUUID();
    const conversationId = await replicaOf(0).room(owner, 'Strict');
    for (let round = 0; round < rounds; round += 1) {
      const userId = randomUUID();
      const ban = { actorId: owner, conversationId, userId, reason: '', untilMs: 0 };
      const [joined] = await Promise.all([
        codeOf(replicaOf(round).insist.JoinConversation({ actorId: userId, conversationId })),
        replicaOf(round + 1).insist.BanUser(ban),
      ]);
      // Who was in for a moment may find themselves out already when they look.
      expect(['done', 'FORBIDDEN', 'NOT_FOUND']).toContain(joined);
      const state = await expectAgreement(conversationId, owner);
      expect([...state.members.keys()]).toEqual([owner]);
      expect(state.bans.has(userId)).toBe(true);
      for (const replica of chat.replicas) {
        const again = replica.insist.JoinConversation({ actorId: userId, conversationId });
        expect(await codeOf(again)).toBe('FORBIDDEN');
      }
    }
  }, 120_000);

  it('when it is deleted while people join and write, then that is its end', async () => {
    for (let round = 0; round < rounds; round += 1) {
      const owner = randomUUID();
      const conversationId = await replicaOf(round).room(owner, 'Short-lived');
      const write = async (replica: Replica) => {
        for (let sent = 0; sent < 5; sent += 1) await replica.send({ actorId: owner, conversationId, text: 'x' });
      };
      const guest = { actorId: randomUUID(), conversationId };
      await Promise.all([
        ...chat.replicas.map(write),
        codeOf(replicaOf(round).insist.JoinConversation(guest)),
        codeOf(replicaOf(round + 1).insist.DeleteConversation({ actorId: owner, conversationId })),
      ]);
      const state = await foldLog(conversationId);
      expect((await chat.log(conversationId)).at(-1)?.body.type).toBe('conversation:deleted');
      expect(state.members.size).toBe(0);
      for (const replica of chat.replicas) {
        expect(await replica.send({ actorId: owner, conversationId, text: 'x' })).toEqual({ code: 'NOT_FOUND' });
        expect(await codeOf(replica.insist.JoinConversation(guest))).toBe('NOT_FOUND');
      }
    }
  }, 120_000);
});

describe('given a group with several who may change roles', () => {
  it('when they change them all at once, then every change was allowed when it was made, and everybody agrees', async () => {
    const [owner, ...others] = Array.from({ length: 6 }, () => randomUUID());
    const actor = owner ?? '';
    const conversationId = await replicaOf(0).group(actor, ...others);
    const change = (replica: Replica, actorId: string, userId: string, role: Role) =>
      codeOf(replica.insist.ChangeRole({ actorId, conversationId, userId, role }));
    for (const admin of others.slice(0, 3)) await change(replicaOf(0), actor, admin, 'admin');
    const given: Role[] = ['admin', 'moderator', 'member'];
    const changes = Array.from({ length: 40 }, (_, index) => {
      const by = nth([actor, ...others], index % 4);
      const target = nth(others, (index * 7 + 3) % others.length);
      return change(replicaOf(index), by, target, nth(given, index % 3));
    });
    const outcomes = new Set(await Promise.all(changes));
    expect([...outcomes].every((code) => code === 'done' || code === 'FORBIDDEN')).toBe(true);

    const state = emptyState(conversationId);
    for (const entry of await chat.log(conversationId)) {
      if (entry.body.type === 'member:updated') {
        const { userId, role } = entry.body;
        const again = changeRole({ actorId: entry.senderId, conversationId, userId, role }, call);
        expect(again.prepare(state)).toEqual(entry.body);
      }
      applyEntry(state, entry);
    }
    await expectAgreement(conversationId, actor);
  }, 120_000);

  it('when the last owner leaves and passes it on at once, then it is never without an owner', async () => {
    for (let round = 0; round < rounds; round += 1) {
      const [owner, heir, friend] = [randomUUID(), randomUUID(), randomUUID()];
      const conversationId = await replicaOf(round).group(owner, heir, friend);
      const [left, passedOn] = await Promise.all([
        codeOf(replicaOf(round).insist.RemoveMember({ actorId: owner, conversationId, userId: owner })),
        codeOf(replicaOf(round + 1).insist.TransferOwnership({ actorId: owner, conversationId, userId: heir })),
      ]);
      // NOT_FOUND and FORBIDDEN: a repeat of what had been done, or the answer's conversation was left meanwhile.
      expect(['done', 'OWNER_MUST_TRANSFER', 'NOT_FOUND']).toContain(left);
      expect(['done', 'NOT_FOUND', 'FORBIDDEN']).toContain(passedOn);
      const state = await expectAgreement(conversationId, friend);
      const owners = [...state.members].filter(([, { role }]) => role === 'owner').map(([userId]) => userId);
      expect(owners).toEqual([heir]);
      expect(state.members.has(owner)).toBe(left === 'OWNER_MUST_TRANSFER');
    }
  }, 120_000);
});
