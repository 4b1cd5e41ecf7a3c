import { AppError } from '@bluewave/errors/app-error';
import { newConversationId, newId } from '@bluewave/runtime/ids';
import type { AppendRequest } from '../log/append.ts';
import { derivedId, hashOf } from '../log/derived-id.ts';
import type { ConversationInfo } from '../log/entry.ts';
import { directIdOf } from './direct-id.ts';
import { demandRoom, type MemberLimits } from './member-limits.ts';

export type NewConversation = {
  actorId: string;
  type: 'direct' | 'group' | 'room';
  name: string;
  description: string;
  /** The others. Their existence has been checked. */
  userIds: string[];
  /** An upload that is the actor's; its use has been checked. */
  avatar?: string | undefined;
  history?: ConversationInfo['history'];
  /** Empty for none. */
  idempotencyKey: string;
};

type Call = { traceId: string; deadline: number };

/**
 * The entry that creates a conversation. A direct conversation's id follows from its two members, so there is one for
 * the pair, for ever; a group's follows from its idempotency key when it has one.
 */
export function createConversation(input: NewConversation, call: Call, limits: MemberLimits): AppendRequest {
  const userIds = [...new Set([input.actorId, ...input.userIds])];
  checkMembers(input, userIds, limits);
  const created: ConversationInfo = {
    type: input.type,
    name: input.type === 'direct' ? '' : input.name,
    description: input.description,
    createdBy: input.actorId,
    ...(input.avatar ? { avatar: input.avatar } : {}),
    ...(input.history ? { history: input.history } : {}),
  };
  const key = input.idempotencyKey;
  return {
    ...call,
    conversationId: conversationIdOf(input, userIds),
    senderId: input.actorId,
    clientMsgId: key ? derivedId('create', input.actorId, key) : newId(),
    bodyHash: hashOf('create', created, key ? [...userIds].sort() : []),
    prepare: (state) => (state.info ? null : { type: 'member:added', userIds, created }),
  };
}

function conversationIdOf(input: NewConversation, userIds: string[]): string {
  const [one, other] = userIds;
  if (input.type === 'direct' && one && other) return directIdOf(one, other);
  return input.idempotencyKey ? derivedId('group', input.actorId, input.idempotencyKey) : newConversationId();
}

function checkMembers(input: NewConversation, userIds: string[], limits: MemberLimits): void {
  if (input.type === 'direct' && userIds.length !== 2) {
    throw new AppError('VALIDATION_FAILED', 'A direct conversation is with one other person.', {
      fields: [{ path: 'userId', code: 'not_another_person', message: 'must be another person' }],
    });
  }
  demandRoom(input.type, userIds.length, limits);
}
