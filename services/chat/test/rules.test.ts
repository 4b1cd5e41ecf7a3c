import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { AppError } from '@bluewave/errors/app-error';
import { addMembers, removeMember } from '../src/conversations/change-members.ts';
import { createConversation, type NewConversation } from '../src/conversations/create-conversation.ts';
import { outranks } from '../src/conversations/permissions.ts';
import { type ConversationState, emptyState } from '../src/log/conversation-state.ts';
import type { Role } from '../src/log/entry.ts';
import { deleteMessage, editMessage, requireMessage } from '../src/messages/change-message.ts';
import { sendMessage } from '../src/messages/send-message.ts';
import { message, newEntry } from './support/entries.ts';
import { call, outcomeOf, roles, stateOf } from './support/rules.ts';

describe('given a conversation to create', () => {
  const [actorId, friend] = [randomUUID(), randomUUID()];
  const input = (change: Partial<NewConversation> = {}): NewConversation => ({
    ...{ actorId, type: 'group', name: 'n', description: 'd', userIds: [friend], idempotencyKey: '' },
    ...change,
  });
  const create = (change?: Partial<NewConversation>, limit = 100) =>
    createConversation(input(change), call, { group: limit, room: limit });
  const empty = () => emptyState(randomUUID());

  it('when it is a group, then its first entry names it and its members, each once', () => {
    const request = create({ userIds: [friend, actorId, friend] });
    expect(request.prepare(empty())).toEqual({
      type: 'member:added',
      userIds: [actorId, friend],
      created: { type: 'group', name: 'n', description: 'd', createdBy: actorId },
    });
    expect(create().conversationId).not.toBe(create().conversationId);
  });

  it('when it is direct, then both get the same id, whoever asks, and it has no name', () => {
    const one = create({ type: 'direct' });
    const other = create({ type: 'direct', actorId: friend, userIds: [actorId] });
    expect(other.conversationId).toBe(one.conversationId);
    expect(create({ type: 'direct', userIds: [randomUUID()] }).conversationId).not.toBe(one.conversationId);
    expect(one.prepare(empty())).toMatchObject({ created: { type: 'direct', name: '' } });
  });

  it('when it exists, then nothing is written', () => {
    expect(create().prepare(stateOf('group', 'owner').state)).toBeNull();
  });

  it('when the same key is used, then it is the same request, and for another body another hash', () => {
    const [one, same, other] = [{}, {}, { name: 'other' }].map((change) => create({ idempotencyKey: 'k', ...change }));
    expect(same).toMatchObject({ conversationId: one?.conversationId, clientMsgId: one?.clientMsgId });
    expect(same?.bodyHash).toEqual(one?.bodyHash);
    expect(other).toMatchObject({ conversationId: one?.conversationId, clientMsgId: one?.clientMsgId });
    expect(other?.bodyHash).not.toEqual(one?.bodyHash);
    const somebodyElse = create({ idempotencyKey: 'k', actorId: friend });
    expect(somebodyElse.conversationId).not.toBe(one?.conversationId);
  });

  it.each([
    ['direct with oneself', { type: 'direct', userIds: [actorId] }, 100, 'VALIDATION_FAILED'],
    ['direct with two others', { type: 'direct', userIds: [friend, randomUUID()] }, 100, 'VALIDATION_FAILED'],
    ['direct with nobody', { type: 'direct', userIds: [] }, 100, 'VALIDATION_FAILED'],
    ['a group above the limit', { userIds: [friend, randomUUID()] }, 2, 'MEMBER_LIMIT_REACHED'],
  ] as const)('when it is %s, then it is refused', (_what, change, limit, code) => {
    const make = () => create({ ...change, userIds: [...change.userIds] }, limit);
    expect(outcomeOf(make, empty())).toBe(code);
  });
});

describe('given members to add', () => {
  const newcomer = randomUUID();
  const add = (state: ConversationState, actorId: string, userIds: string[] = [newcomer], limit = 100) =>
    outcomeOf(() => {
      const change = { actorId, conversationId: state.id, userIds };
      return addMembers(change, call, { group: limit, room: limit }, 0);
    }, state);

  it.each(roles)('when a %s of a group adds, then only owners and admins may', (role) => {
    const { state, ids } = stateOf('group', role, 'member');
    const added = { type: 'member:added', userIds: [newcomer], created: null };
    expect(add(state, ids[0] ?? '')).toEqual(role === 'owner' || role === 'admin' ? added : 'FORBIDDEN');
  });

  it('when some are members already, then only the others are added, and with nobody left nothing is written', () => {
    const { state, ids } = stateOf('group', 'owner', 'member');
    expect(add(state, ids[0] ?? '', [ids[1] ?? '', newcomer, newcomer])).toMatchObject({ userIds: [newcomer] });
    expect(add(state, ids[0] ?? '', ids)).toBe('nothing');
  });

  it('when it would be too many, in a direct one, or by an outsider, then it is refused', () => {
    const { state, ids } = stateOf('group', 'owner', 'member');
    expect(add(state, ids[0] ?? '', [newcomer], 2)).toBe('MEMBER_LIMIT_REACHED');
    expect(add(state, ids[0] ?? '', [newcomer], 3)).toMatchObject({ userIds: [newcomer] });
    expect(add(state, randomUUID())).toBe('NOT_FOUND');
    expect(add(emptyState(randomUUID()), ids[0] ?? '')).toBe('NOT_FOUND');
    const direct = stateOf('direct', 'member', 'member');
    expect(add(direct.state, direct.ids[0] ?? '')).toBe('CONFLICT');
  });
});

describe('given a member to remove', () => {
  const remove = (state: ConversationState, actorId = '', userId = '') =>
    outcomeOf(() => removeMember({ actorId, conversationId: state.id, userId }, call), state);

  it('when somebody else removes, then only moderators and above, and only those below them', () => {
    for (const actor of roles) {
      for (const target of roles) {
        const { state, ids } = stateOf('group', actor, target);
        const may = actor !== 'member' && outranks(actor, target);
        const expected = may ? { type: 'member:removed', userId: ids[1] } : 'FORBIDDEN';
        expect([actor, target, remove(state, ids[0], ids[1])]).toEqual([actor, target, expected]);
      }
    }
  });

  it('when one leaves, then everybody may but the last owner of others', () => {
    for (const role of roles) {
      const { state, ids } = stateOf('group', role, 'member');
      const left = { type: 'member:removed', userId: ids[0] };
      expect(remove(state, ids[0], ids[0])).toEqual(role === 'owner' ? 'OWNER_MUST_TRANSFER' : left);
    }
    const two = stateOf('group', 'owner', 'owner', 'member');
    expect(remove(two.state, two.ids[0], two.ids[0])).toMatchObject({ type: 'member:removed' });
    const alone = stateOf('group', 'owner');
    expect(remove(alone.state, alone.ids[0], alone.ids[0])).toMatchObject({ type: 'member:removed' });
  });

  it('when it is nobody, by an outsider, or from a direct one, then it is refused', () => {
    const { state, ids } = stateOf('group', 'owner', 'member');
    expect(remove(state, ids[0], randomUUID())).toBe('NOT_FOUND');
    expect(remove(state, randomUUID(), ids[1])).toBe('NOT_FOUND');
    const direct = stateOf('direct', 'member', 'member');
    expect(remove(direct.state, direct.ids[0], direct.ids[0])).toBe('CONFLICT');
  });
});

describe('given a message to send', () => {
  const send = (state: ConversationState, actorId: string, change: object = {}) => {
    const ids = { actorId, conversationId: state.id, clientMsgId: randomUUID() };
    return () => sendMessage({ ...ids, kind: 'text', text: 'hello', attachments: [], ...change }, call, () => 0);
  };
  const attachment = (uploadId: string, status: string) => ({
    ...{ uploadId, status, kind: 'image', fileName: 'a', contentType: 'image/png', size: 1, width: 0, height: 0 },
    ...{ durationMs: 0, thumbhash: '', hasThumbnail: false },
  });

  it('when the sender is a member, then it is written as it was sent', () => {
    const { state, ids } = stateOf('direct', 'member', 'member');
    const written = { ...message('hello'), kind: 'text' };
    expect(outcomeOf(send(state, ids[1] ?? ''), state)).toEqual(written);
    expect(outcomeOf(send(state, randomUUID()), state)).toBe('NOT_FOUND');
    expect(outcomeOf(send(emptyState(state.id), ids[0] ?? ''), emptyState(state.id))).toBe('NOT_FOUND');
  });

  it('when it is empty, then an attachment makes it a message', () => {
    const { state, ids } = stateOf('group', 'owner');
    const empty = { text: ' \n\t' };
    expect(outcomeOf(send(state, ids[0] ?? '', empty), state)).toBe('EMPTY_MESSAGE');
    const attachments = [attachment(randomUUID(), 'processing')];
    expect(outcomeOf(send(state, ids[0] ?? '', { ...empty, attachments }), state)).toMatchObject({ attachments });
  });

  it('when it is repeated, then its hash tells the same message from another, whatever became of its uploads', () => {
    const { state, ids } = stateOf('group', 'owner');
    const [upload, other] = [randomUUID(), randomUUID()];
    const hash = (change: object) => Buffer.from(send(state, ids[0] ?? '', change)().bodyHash).toString('hex');
    const first = hash({ attachments: [attachment(upload, 'processing')] });
    expect(hash({ attachments: [attachment(upload, 'ready')] })).toBe(first);
    const changed = [
      { attachments: [attachment(other, 'processing')] },
      { attachments: [] },
      { text: 'hello ', attachments: [attachment(upload, 'processing')] },
      { kind: 'image', attachments: [attachment(upload, 'processing')] },
    ];
    expect(new Set([first, ...changed.map(hash)]).size).toBe(5);
  });
});

describe('given a message to change', () => {
  const scene = (role: Role = 'member') => {
    const { state, ids } = stateOf('group', 'member', role);
    const [author = '', other = ''] = ids;
    const entry = requireMessage(newEntry(state.id, 3, author, message('a'), { at: 1_000 }));
    const target = { conversationId: state.id, seq: 3 };
    const edit = (actorId: string, now = 1_500, of = entry) =>
      outcomeOf(() => editMessage({ ...target, actorId, text: 'b' }, of, call, { now, ms: 500 }), state);
    const remove = (actorId: string, of = entry) =>
      outcomeOf(() => deleteMessage({ ...target, actorId }, of, call), state);
    return { author, other, entry, edit, remove };
  };
  const deleted = { type: 'message:deleted', target: 3 };

  it('when it is edited, then only by its sender, in time, and while it is there', () => {
    const { author, other, entry, edit } = scene('owner');
    expect(edit(author)).toEqual({ type: 'message:edited', target: 3, text: 'b' });
    expect(edit(author, 1_501)).toBe('EDIT_WINDOW_CLOSED');
    expect(edit(other)).toBe('FORBIDDEN');
    expect(edit(author, 1_500, { ...entry, body: { ...entry.body, deletedAt: 1_200 } })).toBe('MESSAGE_DELETED');
    expect(edit(author, 1_500, { ...entry, senderId: author })).toMatchObject({ type: 'message:edited' });
  });

  it.each(roles)('when a %s deletes what another sent, then moderators and above may', (role) => {
    const { author, other, remove } = scene(role);
    expect(remove(author)).toEqual(deleted);
    expect(remove(other)).toEqual(role === 'member' ? 'FORBIDDEN' : deleted);
  });

  it('when it was deleted before, then nothing is written, and a repeat has the id of the first', () => {
    const { author, entry, remove } = scene();
    expect(remove(author, { ...entry, body: { ...entry.body, deletedAt: 1_200 } })).toBe('nothing');
    const address = { conversationId: entry.conversationId, seq: 3, actorId: author };
    const ids = [1, 2].map(() => deleteMessage(address, entry, call)?.clientMsgId);
    expect(ids[0]).toBe(ids[1]);
  });

  it('when its sender is no member any more, then they change nothing', () => {
    const { author, entry } = scene();
    const { state } = stateOf('group', 'owner');
    const target = { conversationId: state.id, seq: 3, actorId: author };
    const window = { now: 1_500, ms: 500 };
    expect(outcomeOf(() => editMessage({ ...target, text: 'b' }, entry, call, window), state)).toBe('NOT_FOUND');
    expect(outcomeOf(() => deleteMessage(target, entry, call), state)).toBe('NOT_FOUND');
  });

  it('when it is no message, then it is not there', () => {
    const notice = newEntry(randomUUID(), 1, randomUUID(), { type: 'member:removed', userId: randomUUID() });
    for (const entry of [null, notice]) expect(() => requireMessage(entry)).toThrow(AppError);
  });
});
