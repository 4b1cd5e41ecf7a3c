import { AppError, notFound } from '@bluewave/errors/app-error';
import type { AppendRequest } from '../log/append.ts';
import type { ConversationState } from '../log/conversation-state.ts';
import type { EntryBody, Role } from '../log/entry.ts';
import {
  type Call,
  type Change,
  changeRequest,
  refuseDirect,
  refuseOrphaning,
  requireMember,
  requireRight,
} from './change-members.ts';
import { outranks } from './permissions.ts';

/** Gives somebody a role, or gives up one's own for a lower one; nothing is written for the role that they have. */
export function changeRole(change: Change & { userId: string; role: Role }, call: Call): AppendRequest {
  return changeRequest(change, call, (state) => {
    if (change.userId === change.actorId) return stepDown(state, change.userId, change.role);
    const { member } = requireRight(state, change.actorId, 'change-role', 'Only owners and admins change roles.');
    const target = state.members.get(change.userId);
    if (!target) throw notFound();
    if (change.role === 'owner') throw new AppError('FORBIDDEN', 'Only the owner transfers the ownership.');
    if (!outranks(member.role, target.role) || !outranks(member.role, change.role)) {
      throw new AppError('FORBIDDEN', 'You cannot give or take a role that is not below your own.');
    }
    return target.role === change.role ? null : { type: 'member:updated', userId: change.userId, role: change.role };
  });
}

function stepDown(state: ConversationState, userId: string, role: Role): EntryBody | null {
  const { info, member } = requireMember(state, userId);
  refuseDirect(info);
  if (member.role === role) return null;
  if (!outranks(member.role, role)) throw new AppError('FORBIDDEN', 'Nobody raises their own role.');
  refuseOrphaning(state, member, 'may not');
  return { type: 'member:updated', userId, role };
}

/** Passes the ownership on: the former owner becomes an admin by the same entry. */
export function transferOwnership(change: Change & { userId: string }, call: Call): AppendRequest {
  return changeRequest(change, call, (state) => {
    requireRight(state, change.actorId, 'transfer-ownership', 'Only the owner transfers the ownership.');
    if (!state.members.has(change.userId)) throw notFound();
    if (change.userId === change.actorId) return null;
    return { type: 'member:updated', userId: change.userId, role: 'owner', demoted: change.actorId };
  });
}
