import { AppError, notFound } from '@bluewave/errors/app-error';
import { newId } from '@bluewave/runtime/ids';
import type { AppendRequest } from '../log/append.ts';
import { type ConversationState, isBanned, type MemberState } from '../log/conversation-state.ts';
import { hashOf } from '../log/derived-id.ts';
import type { ConversationInfo, EntryBody } from '../log/entry.ts';
import { demandRoom, type MemberLimits } from './member-limits.ts';
import { type Action, mayDo, outranks } from './permissions.ts';

export type Call = { traceId: string; deadline: number };
export type Change = { actorId: string; conversationId: string };

/** Who acts, in what; to everybody else the conversation is not there. */
export function requireMember(
  state: ConversationState,
  userId: string,
): { info: ConversationInfo; member: MemberState } {
  const member = state.members.get(userId);
  if (!state.info || !member) throw notFound();
  return { info: state.info, member };
}

/**
 * Who acts, when their role allows it.
 * @throws NOT_FOUND for everybody else, CONFLICT in a direct conversation, FORBIDDEN with `refusal`.
 */
export function requireRight(
  state: ConversationState,
  userId: string,
  action: Action,
  refusal: string,
): { info: ConversationInfo; member: MemberState } {
  const { info, member } = requireMember(state, userId);
  refuseDirect(info);
  if (!mayDo(info.type, member.role, action)) throw new AppError('FORBIDDEN', refusal);
  return { info, member };
}

/** @throws CONFLICT: nothing of a direct conversation can be changed. */
export function refuseDirect({ type }: ConversationInfo): void {
  if (type === 'direct') throw new AppError('CONFLICT', 'A direct conversation has two members and no settings.');
}

/** Adds members; those who are already are left out, and with nobody left nothing is written. */
export function addMembers(
  change: Change & { userIds: string[] },
  call: Call,
  limits: MemberLimits,
  now: number,
): AppendRequest {
  return changeRequest(change, call, (state) => {
    const { info } = requireRight(state, change.actorId, 'add-member', 'Only owners and admins add members.');
    const userIds = [...new Set(change.userIds)].filter((userId) => !state.members.has(userId));
    if (userIds.length === 0) return null;
    const banned = userIds.filter((userId) => isBanned(state, userId, now));
    if (banned.length > 0) {
      throw new AppError('CONFLICT', `Lift the ban first: ${banned.slice(0, 5).join(', ')} cannot be added.`);
    }
    demandRoom(info.type, state.members.size + userIds.length, limits);
    return { type: 'member:added', userIds, created: null };
  });
}

/** Removes a member; removing oneself is leaving. */
export function removeMember(change: Change & { userId: string }, call: Call): AppendRequest {
  return changeRequest(change, call, (state) => {
    const { info, member } = requireMember(state, change.actorId);
    refuseDirect(info);
    const target = state.members.get(change.userId);
    if (change.userId === change.actorId) refuseOrphaning(state, member);
    else if (!mayDo(info.type, member.role, 'remove-member')) {
      throw new AppError('FORBIDDEN', 'Only moderators and above remove members.');
    } else if (!target) throw notFound();
    else if (!outranks(member.role, target.role)) {
      throw new AppError('FORBIDDEN', 'You cannot remove somebody of your own or a higher role.');
    }
    return { type: 'member:removed', userId: change.userId };
  });
}

/** @throws OWNER_MUST_TRANSFER for the last owner, who may neither leave the others nor step down. */
export function refuseOrphaning(
  state: ConversationState,
  { role }: MemberState,
  alone: 'may' | 'may not' = 'may',
): void {
  if (role !== 'owner' || (alone === 'may' && state.members.size === 1)) return;
  const owners = [...state.members.values()].filter((one) => one.role === 'owner');
  if (owners.length === 1) {
    throw new AppError('OWNER_MUST_TRANSFER', 'Transfer the ownership to another member first.');
  }
}

/** A change of a conversation by one of its members. Repeats are new changes: the rules say what is left to do. */
export function changeRequest(
  { actorId, conversationId }: Change,
  call: Call,
  prepare: (state: ConversationState) => EntryBody | null,
): AppendRequest {
  return { ...call, conversationId, senderId: actorId, clientMsgId: newId(), bodyHash: hashOf('members'), prepare };
}
