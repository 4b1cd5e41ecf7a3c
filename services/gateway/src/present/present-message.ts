import type { Message, UserSummary } from '@bluewave/api/objects';
import type { ForwardedFrom as LogForwarded } from '@bluewave/protos/generated/bluewave/chat/v1/ForwardedFrom';
import type { Message as LogMessage } from '@bluewave/protos/generated/bluewave/chat/v1/Message';
import type { ReplyTo as LogReply } from '@bluewave/protos/generated/bluewave/chat/v1/ReplyTo';
import { presentMedia, type UploadState } from './present-media.ts';
import { presentNote, sentenceOf } from './present-note.ts';
import { presentTime } from './present-time.ts';

/** Names of people, found beforehand; total: who is not known gets a stand-in. */
export type UserLookup = (userId: string) => UserSummary;
/** Newer states of uploads than the one kept in a message; undefined keeps the message's own. */
export type UploadLookup = (uploadId: string) => UploadState | undefined;

const types = ['text', 'image', 'file', 'audio', 'video', 'system'] as const;
const statuses = ['sent', 'delivered', 'read'] as const;

function typeOf(type: string): Message['type'] {
  return types.find((one) => one === type) ?? 'text';
}

/** A message for clients, its current state. */
export function presentMessage(message: LogMessage, users: UserLookup, uploads?: UploadLookup): Message {
  return {
    id: `${message.conversationId}:${message.seq}`,
    conversationId: message.conversationId,
    seq: message.seq,
    clientMsgId: message.clientMsgId,
    type: typeOf(message.type),
    sender: users(message.senderId),
    text: message.system ? sentenceOf(message.system, users(message.senderId), users) : message.text,
    attachments: message.attachments.map((one) => presentMedia(uploads?.(one.uploadId) ?? one)),
    mentions: message.mentionUserIds,
    ...(message.mentionsAll ? { mentionsAll: true } : {}),
    ...relationsOf(message, users),
    forwardCount: message.forwardCount,
    reactions: message.reactions,
    starred: message.starred,
    pinned: message.pinned,
    ...(message.editedAtMs > 0 ? { editedAt: presentTime(message.editedAtMs) } : {}),
    ...(message.deletedAtMs > 0 ? { deletedAt: presentTime(message.deletedAtMs) } : {}),
    status: statuses.find((status) => status === message.status) ?? 'sent',
    createdAt: presentTime(message.createdAtMs),
  };
}

/** What a message has to do with others. */
function relationsOf(
  message: LogMessage,
  users: UserLookup,
): Pick<Message, 'replyTo' | 'threadRootId' | 'thread' | 'forwarded' | 'system'> {
  const { replyTo, threadRootSeq, thread, forwarded, system, conversationId } = message;
  return {
    ...(replyTo ? { replyTo: presentReply(conversationId, replyTo, users) } : {}),
    ...(threadRootSeq > 0 ? { threadRootId: `${conversationId}:${threadRootSeq}` } : {}),
    ...(thread ? { thread } : {}),
    ...(forwarded ? { forwarded: presentForwarded(forwarded) } : {}),
    ...(system ? { system: presentNote(system) } : {}),
  };
}

function presentReply(conversationId: string, reply: LogReply, users: UserLookup): Message['replyTo'] {
  return {
    messageId: `${conversationId}:${reply.seq}`,
    seq: reply.seq,
    sender: users(reply.senderId),
    type: typeOf(reply.type),
    preview: reply.preview,
    deleted: reply.deleted,
  };
}

function presentForwarded({ conversationId, seq, hops }: LogForwarded): Message['forwarded'] {
  return { ...(conversationId === '' ? {} : { from: `${conversationId}:${seq}` }), hops };
}

/** Whose names a message shows. */
export function usersOfMessage({ senderId, replyTo, system }: LogMessage): string[] {
  return [senderId, ...(replyTo && replyTo.senderId !== '' ? [replyTo.senderId] : []), ...(system?.userIds ?? [])];
}
