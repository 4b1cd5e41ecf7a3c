import { AppError } from '@bluewave/errors/app-error';
import { requireMember } from '../conversations/change-members.ts';
import type { AppendRequest } from '../log/append.ts';
import { hashOf } from '../log/derived-id.ts';
import type { Attachment, MessageKind } from '../log/entry.ts';

export type NewMessage = {
  actorId: string;
  conversationId: string;
  clientMsgId: string;
  kind: MessageKind;
  text: string;
  attachments: Attachment[];
};

/** The entry of a new message. Members may send; a repeat is told by what the client asked for. */
export function sendMessage(message: NewMessage, call: { traceId: string; deadline: number }): AppendRequest {
  const { actorId, conversationId, clientMsgId, kind, text, attachments } = message;
  if (text.trim() === '' && attachments.length === 0) {
    throw new AppError('EMPTY_MESSAGE', 'Give the message text or an attachment.');
  }
  return {
    ...call,
    conversationId,
    senderId: actorId,
    clientMsgId,
    bodyHash: hashOf(
      kind,
      text,
      attachments.map(({ uploadId }) => uploadId),
    ),
    prepare: (state) => {
      requireMember(state, actorId);
      return { type: 'message:new', kind, text, attachments, editedAt: null, deletedAt: null };
    },
  };
}
