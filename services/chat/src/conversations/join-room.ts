import { AppError, notFound } from '@bluewave/errors/app-error';
import type { AppendRequest } from '../log/append.ts';
import { isBanned } from '../log/conversation-state.ts';
import { type Call, type Change, changeRequest } from './change-members.ts';
import { demandRoom, type MemberLimits } from './member-limits.ts';

/**
 * Somebody becomes a member of a room, and its owner when it has none; nothing is written for who is already. What is
 * no room is not there.
 */
export function joinRoom(change: Change, call: Call, limits: MemberLimits, now: number): AppendRequest {
  return changeRequest(change, call, (state) => {
    if (state.members.has(change.actorId)) return null;
    if (state.info?.type !== 'room' || state.deletedAt !== null) throw notFound();
    if (isBanned(state, change.actorId, now)) throw new AppError('FORBIDDEN', 'You are banned from this room.');
    demandRoom('room', state.members.size + 1, limits);
    // The last owner may leave when nobody else is in it: without this, nobody could govern it ever again.
    const isOwned = [...state.members.values()].some(({ role }) => role === 'owner');
    return { type: 'member:added', userIds: [change.actorId], created: null, ...(isOwned ? {} : { owned: true }) };
  });
}
