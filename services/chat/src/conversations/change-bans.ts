import { AppError, notFound } from '@bluewave/errors/app-error';
import type { AppendRequest } from '../log/append.ts';
import { isBanned } from '../log/conversation-state.ts';
import type { Ban, ConversationInfo, Role } from '../log/entry.ts';
import { type Call, type Change, changeRequest, refuseDirect, requireRight } from './change-members.ts';
import { mayDo, outranks } from './permissions.ts';

const banRefusal = 'Only moderators and above ban people.';

/**
 * Keeps somebody out, until a time or for good; a member is removed by the same entry. Nothing is written for the same
 * ban again. @param now milliseconds since the epoch.
 */
export function banUser(change: Change & { userId: string; ban: Ban }, call: Call, now: number): AppendRequest {
  const { actorId, userId, ban } = change;
  if (ban.until !== null && ban.until <= now) {
    throw new AppError('VALIDATION_FAILED', 'A ban ends in the future.', {
      fields: [{ path: 'until', code: 'too_small', message: 'must be in the future' }],
    });
  }
  return changeRequest(change, call, (state) => {
    const { member } = requireRight(state, actorId, 'ban', banRefusal);
    if (userId === actorId) throw new AppError('CONFLICT', 'You cannot ban yourself. You can leave.');
    const target = state.members.get(userId);
    if (target) {
      if (!outranks(member.role, target.role)) {
        throw new AppError('FORBIDDEN', 'You cannot ban somebody of your own or a higher role.');
      }
      return { type: 'member:removed', userId, ban };
    }
    const earlier = state.bans.get(userId);
    if (earlier && earlier.until === ban.until && earlier.reason === ban.reason) return null;
    return { type: 'conversation:updated', changes: {}, banned: { userId, ...ban } };
  });
}

/** Lets somebody in again; nothing is written for who is not kept out. */
export function liftBan(change: Change & { userId: string }, call: Call, now: number): AppendRequest {
  return changeRequest(change, call, (state) => {
    requireRight(state, change.actorId, 'ban', banRefusal);
    if (!isBanned(state, change.userId, now)) return null;
    return { type: 'conversation:updated', changes: {}, lifted: change.userId };
  });
}

/** @throws FORBIDDEN for who may not see who is kept out. */
export function demandBanList(info: ConversationInfo | undefined, role: Role): void {
  if (!info) throw notFound();
  refuseDirect(info);
  if (!mayDo(info.type, role, 'ban')) throw new AppError('FORBIDDEN', 'Only moderators and above see who is banned.');
}
