import { AppError, notFound } from '@bluewave/errors/app-error';
import { newId } from '@bluewave/runtime/ids';
import { requireMember } from '../conversations/change-members.ts';
import { mayDo } from '../conversations/permissions.ts';
import type { AppendRequest } from '../log/append.ts';
import { derivedId, hashOf } from '../log/derived-id.ts';
import type { LogEntry, MessageBody } from '../log/entry.ts';
import { demandMayMention } from './send-message.ts';

export type Call = { traceId: string; deadline: number };
/** A message, and who does something with it. */
export type Target = { actorId: string; conversationId: string; seq: number };
export type MessageEntry = LogEntry & { body: MessageBody };
export type Mentions = { userIds: string[]; all: boolean };

/** Edits of one message; its history is kept, so it has to end. */
const mostEdits = 500;

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
  target: Target & { text: string; mentions?: Mentions },
  message: MessageEntry,
  call: Call,
  window: { now: number; ms: number },
): AppendRequest {
  const { actorId, text, mentions } = target;
  if (message.senderId !== actorId) throw new AppError('FORBIDDEN', 'Only its sender edits a message.');
  if (message.body.deletedAt !== null) throw new AppError('MESSAGE_DELETED', 'A deleted message cannot be edited.');
  if (window.now - message.at > window.ms) {
    throw new AppError('EDIT_WINDOW_CLOSED', 'The time to edit this message is over. Send a new one.');
  }
  if ((message.body.edits?.length ?? 0) >= mostEdits) {
    throw new AppError('CONFLICT', `This message was edited ${mostEdits} times. Send a new one.`);
  }
  return {
    ...call,
    conversationId: target.conversationId,
    senderId: actorId,
    clientMsgId: newId(),
    bodyHash: hashOf('edit', target.seq, text),
    prepare: (state) => {
      if (mentions) demandMayMention(state, { actorId, mentions: mentions.userIds, mentionsAll: mentions.all });
      else requireMember(state, actorId);
      const after = mentionsAfter(message, mentions);
      return isAsBefore(message, text, after) ? null : { type: 'message:edited', target: target.seq, text, ...after };
    },
  };
}

/** An edit that changes nothing, such as one that is repeated because its answer was lost, is none. */
function isAsBefore(
  { body }: MessageEntry,
  text: string,
  after: Pick<MessageBody, 'mentions' | 'mentionsAll'>,
): boolean {
  const { mentions = [], mentionsAll = false } = after;
  const called = body.mentions ?? [];
  return (
    body.text === text &&
    (body.mentionsAll ?? false) === mentionsAll &&
    called.length === mentions.length &&
    called.every((userId) => mentions.includes(userId))
  );
}

/** Whom the message calls after an edit: those who are given, else those whom it called. */
function mentionsAfter({ body }: MessageEntry, given: Mentions | undefined) {
  const userIds = given?.userIds ?? body.mentions ?? [];
  const all = given?.all ?? body.mentionsAll ?? false;
  return {
    ...(userIds.length > 0 ? { mentions: [...new Set(userIds)] } : {}),
    ...(all ? { mentionsAll: true } : {}),
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
