import { AppError, notFound } from '@bluewave/errors/app-error';
import { newId } from '@bluewave/runtime/ids';
import { requireMember } from '../conversations/change-members.ts';
import { mayDo } from '../conversations/permissions.ts';
import type { AppendRequest } from '../log/append.ts';
import { derivedId, hashOf } from '../log/derived-id.ts';
import type { LogEntry, MessageBody } from '../log/entry.ts';

type Call = { traceId: string; deadline: number };
type Target = { actorId: string; conversationId: string; seq: number };
type MessageEntry = LogEntry & { body: MessageBody };

/** The message of an address as it was read, or the answer for everything that is none. */
export function requireMessage(entry: LogEntry | null): MessageEntry {
  if (entry?.body.type !== 'message:new') throw notFound();
  return { ...entry, body: entry.body };
}

/**
 * The entry that edits an own message. The check of the message may be outdated by the time the entry is written;
 * that is harmless, since a deletion absorbs every edit, whichever comes first.
 */
export function editMessage(
  target: Target & { text: string },
  message: MessageEntry,
  call: Call,
  window: { now: number; ms: number },
): AppendRequest {
  if (message.senderId !== target.actorId) throw new AppError('FORBIDDEN', 'Only its sender edits a message.');
  if (message.body.deletedAt !== null) throw new AppError('MESSAGE_DELETED', 'A deleted message cannot be edited.');
  if (window.now - message.at > window.ms) {
    throw new AppError('EDIT_WINDOW_CLOSED', 'The time to edit this message is over. Send a new one.');
  }
  return {
    ...call,
    conversationId: target.conversationId,
    senderId: target.actorId,
    clientMsgId: newId(),
    bodyHash: hashOf('edit', target.seq, target.text),
    prepare: (state) => {
      requireMember(state, target.actorId);
      return { type: 'message:edited', target: target.seq, text: target.text };
    },
  };
}

/** The entry that deletes a message for everyone, or null when it was deleted before. */
export function deleteMessage(target: Target, message: MessageEntry, call: Call): AppendRequest | null {
  if (message.body.deletedAt !== null) return null;
  return {
    ...call,
    conversationId: target.conversationId,
    senderId: target.actorId,
    clientMsgId: derivedId('delete', target.conversationId, target.seq, target.actorId),
    bodyHash: hashOf('delete', target.seq),
    prepare: (state) => {
      const { info, member } = requireMember(state, target.actorId);
      if (message.senderId !== target.actorId && !mayDo(info.type, member.role, 'delete-any-message')) {
        throw new AppError('FORBIDDEN', 'Only its sender and moderators delete a message.');
      }
      return { type: 'message:deleted', target: target.seq };
    },
  };
}
