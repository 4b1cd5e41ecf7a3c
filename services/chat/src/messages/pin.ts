import { AppError } from '@bluewave/errors/app-error';
import { newId } from '@bluewave/runtime/ids';
import { requireMember } from '../conversations/change-members.ts';
import { mayDo } from '../conversations/permissions.ts';
import type { AppendRequest } from '../log/append.ts';
import { hashOf } from '../log/derived-id.ts';
import type { Call, MessageEntry, Target } from './change-message.ts';

/** The entry that pins a message or unpins it; nothing is written when it is so already. */
export function pinMessage(target: Target & { on: boolean }, message: MessageEntry, call: Call): AppendRequest {
  const { actorId, conversationId, seq, on } = target;
  return {
    ...call,
    conversationId,
    senderId: actorId,
    clientMsgId: newId(),
    bodyHash: hashOf('pin', seq, on),
    prepare: (state) => {
      const { info, member } = requireMember(state, actorId);
      if (!mayDo(info.type, member.role, 'pin-message')) {
        throw new AppError('FORBIDDEN', 'Only moderators and above pin messages.');
      }
      if (message.body.deletedAt !== null) throw new AppError('MESSAGE_DELETED', 'A deleted message is not pinned.');
      return (message.body.pinned ?? false) === on ? null : { type: 'message:pinned', target: seq, on };
    },
  };
}
