import { AppError, notFound } from '@bluewave/errors/app-error';
import { requireMember } from '../conversations/change-members.ts';
import { mayDo } from '../conversations/permissions.ts';
import type { AppendRequest } from '../log/append.ts';
import type { ConversationState } from '../log/conversation-state.ts';
import { hashOf } from '../log/derived-id.ts';
import type { Attachment, ForwardedFrom, LogEntry, MessageBody, MessageKind } from '../log/entry.ts';

export type NewMessage = {
  actorId: string;
  conversationId: string;
  clientMsgId: string;
  kind: MessageKind;
  text: string;
  attachments: Attachment[];
  /** Users to call, and whether all members are called. */
  mentions?: string[];
  mentionsAll?: boolean;
  /** The message that is answered, and the one whose thread this goes to, as they were read; null: not there to read. */
  replyTo?: Reference;
  threadRoot?: Reference;
  forwarded?: ForwardedFrom;
};

/** What a seq that the client named turned out to be. */
export type Reference = { seq: number; entry: LogEntry | null };

/** The entry of a new message. Members may send; a repeat is told by what the client asked for. */
export function sendMessage(
  message: NewMessage,
  call: { traceId: string; deadline: number },
  now: () => number,
): AppendRequest {
  const { actorId, conversationId, clientMsgId, kind, text, attachments } = message;
  if (text.trim() === '' && attachments.length === 0) {
    throw new AppError('EMPTY_MESSAGE', 'Give the message text or an attachment.');
  }
  const extras = extrasOf(message);
  return {
    ...call,
    conversationId,
    senderId: actorId,
    clientMsgId,
    bodyHash: hashOf(
      kind,
      text,
      attachments.map(({ uploadId }) => uploadId),
      ...(Object.keys(extras).length > 0 ? [extras] : []),
    ),
    prepare: (state) => {
      demandMaySend(state, message, now());
      return { type: 'message:new', kind, text, attachments, ...extras, editedAt: null, deletedAt: null };
    },
  };
}

/** What of the body is only there when it says something. */
function extrasOf({
  mentions = [],
  mentionsAll = false,
  replyTo,
  threadRoot,
  forwarded,
}: NewMessage): Partial<MessageBody> {
  return {
    ...(mentions.length > 0 ? { mentions: [...new Set(mentions)] } : {}),
    ...(mentionsAll ? { mentionsAll } : {}),
    ...(replyTo ? { replyTo: replyTo.seq } : {}),
    ...(threadRoot ? { threadRoot: threadRoot.seq } : {}),
    ...(forwarded ? { forwarded } : {}),
  };
}

/** The rules of sending, against the state that the message would follow. */
function demandMaySend(state: ConversationState, message: NewMessage, now: number): void {
  const { info, member } = requireMember(state, message.actorId);
  if (!mayDo(info.type, member.role, 'send')) throw new AppError('FORBIDDEN', 'You may not write here.');
  demandMayMention(state, message);
  if (message.replyTo) demandReadable(message.replyTo, member.firstSeq);
  if (message.threadRoot) demandThread(message.threadRoot, member.firstSeq);
  if (info.slowModeSeconds && !mayDo(info.type, member.role, 'skip-slow-mode')) {
    const next = member.lastMessageAt + info.slowModeSeconds * 1_000;
    if (now < next) throw slowMode(next - now);
  }
}

/** Whoever is called is a member, and who calls all may. @throws VALIDATION_FAILED naming who is not; FORBIDDEN. */
export function demandMayMention(
  state: ConversationState,
  { actorId, mentions = [], mentionsAll = false }: Pick<NewMessage, 'actorId' | 'mentions' | 'mentionsAll'>,
): void {
  const { info, member } = requireMember(state, actorId);
  if (mentionsAll && !mayDo(info.type, member.role, 'mention-all')) {
    throw new AppError('FORBIDDEN', 'Only moderators and above call all members.');
  }
  const strangers = mentions.flatMap((userId, index) => (state.members.has(userId) ? [] : [index]));
  if (strangers.length === 0) return;
  throw new AppError('VALIDATION_FAILED', 'Only members can be mentioned.', {
    fields: strangers.map((index) => ({ path: `mentions.${index}`, code: 'not_a_member', message: 'is not a member' })),
  });
}

function demandReadable({ seq, entry }: Reference, firstSeq: number): MessageBody {
  if (!entry || seq < firstSeq || entry.body.type !== 'message:new') throw notFound();
  return entry.body;
}

/** A thread hangs on a message that is in none itself. */
function demandThread(root: Reference, firstSeq: number): void {
  const { threadRoot, deletedAt } = demandReadable(root, firstSeq);
  if (threadRoot !== undefined) {
    throw new AppError('VALIDATION_FAILED', 'A reply in a thread has no thread of its own. Name the first message.', {
      fields: [{ path: 'threadRootId', code: 'not_a_root', message: 'is itself in a thread' }],
    });
  }
  if (deletedAt !== null) throw new AppError('MESSAGE_DELETED', 'The thread of a deleted message is closed.');
}

function slowMode(retryAfterMs: number): AppError {
  return new AppError('RATE_LIMITED', 'This conversation is in slow mode. Wait before you write again.', {
    retryAfterMs,
  });
}
