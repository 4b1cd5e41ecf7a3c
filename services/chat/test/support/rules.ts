import { randomUUID } from 'node:crypto';
import { expect } from '@jest/globals';
import { AppError } from '@bluewave/errors/app-error';
import type { AppendRequest } from '../../src/log/append.ts';
import { type ConversationState, emptyState } from '../../src/log/conversation-state.ts';
import type { ConversationType, Role } from '../../src/log/entry.ts';

export const roles: Role[] = ['owner', 'admin', 'moderator', 'member'];
export const types: ConversationType[] = ['direct', 'group', 'room'];
export const call = { traceId: '', deadline: 0 };

/** A conversation with one member of each of these roles. */
export function stateOf(type: ConversationType, ...members: Role[]): { state: ConversationState; ids: string[] } {
  const ids = members.map(() => randomUUID());
  const state = emptyState(randomUUID());
  state.head = 5;
  state.info = { type, name: 'n', description: '', createdBy: ids[0] ?? '' };
  members.forEach((role, index) =>
    state.members.set(ids[index] ?? '', { role, joinedSeq: 1, joinedAt: 1, firstSeq: 1, lastMessageAt: 0 }),
  );
  return { state, ids };
}

/** What a request does to a state: the body it writes, `nothing`, or the code of the refusal. */
export function outcomeOf(make: () => AppendRequest | null, state: ConversationState): unknown {
  const before = structuredClone(state);
  try {
    const request = make();
    return request ? (request.prepare(state) ?? 'nothing') : 'nothing';
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  } finally {
    expect(state).toEqual(before);
  }
}
