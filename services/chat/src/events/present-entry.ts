import type { ConversationInfo as ConversationInfoMessage } from '@bluewave/protos/generated/bluewave/chat/v1/ConversationInfo';
import type { Entry } from '@bluewave/protos/generated/bluewave/chat/v1/Entry';
import type { Message } from '@bluewave/protos/generated/bluewave/chat/v1/Message';
import type { ConversationInfo, LogEntry, MessageBody } from '../log/entry.ts';

/** A `message:new` entry, whose body is the message's current state. */
export type MessageEntry = LogEntry & { body: MessageBody };

export function isMessage(entry: LogEntry): entry is MessageEntry {
  return entry.body.type === 'message:new';
}

/** The message as services see it. `status` is derived by readers who may know; here it was sent. */
export function presentMessage(entry: MessageEntry, status: 'sent' | 'delivered' | 'read' = 'sent'): Message {
  const { body } = entry;
  return {
    conversationId: entry.conversationId,
    seq: entry.seq,
    clientMsgId: entry.clientMsgId,
    type: body.kind,
    senderId: entry.senderId,
    text: body.text,
    attachments: body.attachments,
    createdAtMs: entry.at,
    editedAtMs: body.editedAt ?? 0,
    deletedAtMs: body.deletedAt ?? 0,
    status,
  };
}

/**
 * An entry as services see it.
 * @param target the message that an edit is about, in its current state; null when there is none to show.
 */
export function presentEntry(entry: LogEntry, target: MessageEntry | null, message?: Message): Entry {
  const base = {
    conversationId: entry.conversationId,
    seq: entry.seq,
    actorId: entry.senderId,
    atMs: entry.at,
  };
  const { body } = entry;
  switch (body.type) {
    case 'message:new':
      return { ...base, messageNew: message ?? presentMessage({ ...entry, body }) };
    case 'message:edited':
      return { ...base, messageEdited: target ? presentMessage(target) : null };
    case 'message:deleted':
      return { ...base, messageDeleted: { seq: body.target } };
    case 'member:added':
      return {
        ...base,
        membersAdded: {
          userIds: body.userIds,
          created: body.created ? presentCreated(entry, body.created, body.userIds) : null,
        },
      };
    case 'member:removed':
      return { ...base, memberRemoved: { userId: body.userId } };
    default:
      return body satisfies never;
  }
}

function presentCreated(entry: LogEntry, info: ConversationInfo, userIds: string[]): ConversationInfoMessage {
  return {
    id: entry.conversationId,
    type: info.type,
    name: info.name,
    description: info.description,
    avatarUrl: '',
    createdBy: info.createdBy,
    createdAtMs: entry.at,
    updatedAtMs: entry.at,
    head: entry.seq,
    memberCount: userIds.length,
    directUserIds: info.type === 'direct' ? userIds : [],
  };
}
