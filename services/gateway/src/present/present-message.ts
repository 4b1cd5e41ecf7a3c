import type { Message, UserSummary } from '@bluewave/api/objects';
import type { Message as LogMessage } from '@bluewave/protos/generated/bluewave/chat/v1/Message';
import { presentMedia, type UploadState } from './present-media.ts';
import { presentTime } from './present-time.ts';

/** Names of people, found beforehand; total: who is not known gets a stand-in. */
export type UserLookup = (userId: string) => UserSummary;
/** Newer states of uploads than the one kept in a message; undefined keeps the message's own. */
export type UploadLookup = (uploadId: string) => UploadState | undefined;

const types = ['text', 'image', 'file', 'audio', 'video', 'system'] as const;
const statuses = ['sent', 'delivered', 'read'] as const;

/** A message for clients, its current state. */
export function presentMessage(message: LogMessage, users: UserLookup, uploads?: UploadLookup): Message {
  return {
    id: `${message.conversationId}:${message.seq}`,
    conversationId: message.conversationId,
    seq: message.seq,
    clientMsgId: message.clientMsgId,
    type: types.find((type) => type === message.type) ?? 'text',
    sender: users(message.senderId),
    text: message.text,
    attachments: message.attachments.map((one) => presentMedia(uploads?.(one.uploadId) ?? one)),
    mentions: [],
    forwardCount: 0,
    reactions: [],
    starred: false,
    pinned: false,
    ...(message.editedAtMs > 0 ? { editedAt: presentTime(message.editedAtMs) } : {}),
    ...(message.deletedAtMs > 0 ? { deletedAt: presentTime(message.deletedAtMs) } : {}),
    status: statuses.find((status) => status === message.status) ?? 'sent',
    createdAt: presentTime(message.createdAtMs),
  };
}
