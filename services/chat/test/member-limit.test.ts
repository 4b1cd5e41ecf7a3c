import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type ChatUnderTest, startChatUnderTest } from './support/chat-under-test.ts';
import { nth } from './support/nth.ts';
import { codeOf } from './support/outcomes.ts';

const memberLimits = { group: 3, room: 4 };
let chat: ChatUnderTest;
beforeAll(async () => void (chat = await startChatUnderTest({}, { memberLimits })), 60_000);
afterAll(() => chat.close());

const membersOf = async (actorId: string, conversationId: string): Promise<string[]> => {
  const { members } = await chat.replicas[1].insist.ListMembers({ actorId, conversationId, limit: 200, cursor: '' });
  return members.map(({ userId }) => userId);
};

describe('given conversations with room for few', () => {
  it('when many join a room at once, then it is full and no more, and a place that becomes free is taken', async () => {
    const [owner, late] = [randomUUID(), randomUUID()];
    const conversationId = await chat.replicas[0].room(owner, 'Small');
    const guests = Array.from({ length: 12 }, () => randomUUID());
    const outcomes = await Promise.all(
      guests.map((actorId, index) =>
        codeOf(nth(chat.replicas, index % 2).insist.JoinConversation({ actorId, conversationId })),
      ),
    );
    expect(outcomes.filter((code) => code === 'done')).toHaveLength(3);
    expect(outcomes.filter((code) => code === 'MEMBER_LIMIT_REACHED')).toHaveLength(9);
    const members = await membersOf(owner, conversationId);
    expect(members.sort()).toEqual([owner, ...guests.filter((_, index) => outcomes[index] === 'done')].sort());
    const join = (actorId: string) => codeOf(chat.replicas[1].insist.JoinConversation({ actorId, conversationId }));
    const add = { actorId: owner, conversationId, userIds: [late] };
    expect(await codeOf(chat.replicas[0].insist.AddMembers(add))).toBe('MEMBER_LIMIT_REACHED');
    expect(await join(late)).toBe('MEMBER_LIMIT_REACHED');
    // Who is in already is told so, full or not.
    expect(await join(owner)).toBe('done');
    const leaver = nth(guests, outcomes.indexOf('done'));
    await chat.replicas[0].insist.RemoveMember({ actorId: leaver, conversationId, userId: leaver });
    expect(await join(late)).toBe('done');
    expect(await membersOf(owner, conversationId)).toHaveLength(memberLimits.room);
  }, 60_000);

  it('when a group gets more than it may have, at its creation or later, then nobody of them is added', async () => {
    const [owner, friend] = [randomUUID(), randomUUID()];
    const strangers = Array.from({ length: 3 }, () => randomUUID());
    expect(await codeOf(chat.replicas[0].group(owner, ...strangers))).toBe('MEMBER_LIMIT_REACHED');
    const conversationId = await chat.replicas[0].group(owner, friend);
    const add = (userIds: string[]) =>
      codeOf(chat.replicas[1].insist.AddMembers({ actorId: owner, conversationId, userIds }));
    expect(await add(strangers.slice(0, 2))).toBe('MEMBER_LIMIT_REACHED');
    expect((await membersOf(owner, conversationId)).sort()).toEqual([owner, friend].sort());
    expect(await add(strangers.slice(0, 1))).toBe('done');
    expect(await membersOf(owner, conversationId)).toHaveLength(memberLimits.group);
  }, 60_000);
});
