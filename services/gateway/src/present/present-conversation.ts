import type { Conversation, ConversationInfo, FoundConversation } from '@bluewave/api/objects';
import type { Conversation as LogConversation } from '@bluewave/protos/generated/bluewave/chat/v1/Conversation';
import type { ConversationInfo as LogInfo } from '@bluewave/protos/generated/bluewave/chat/v1/ConversationInfo';
import type { Membership } from '@bluewave/protos/generated/bluewave/chat/v1/Membership';
import { contentUrl } from './present-media.ts';
import { presentMessage, type UploadLookup, type UserLookup } from './present-message.ts';
import { presentTime } from './present-time.ts';

const types = ['direct', 'group', 'room'] as const;
const notifyLevels = ['all', 'mentions', 'none'] as const;
const roles = ['owner', 'admin', 'moderator', 'member'] as const;

export type Role = (typeof roles)[number];

export function presentRole(role: string): Role {
  return roles.find((one) => one === role) ?? 'member';
}

/** What all members share of a conversation. */
export function presentConversationInfo(info: LogInfo): ConversationInfo {
  return {
    id: info.id,
    type: types.find((type) => type === info.type) ?? 'group',
    ...(info.name === '' ? {} : { name: info.name }),
    ...(info.description === '' ? {} : { description: info.description }),
    avatarUrl: info.avatarUploadId === '' ? null : contentUrl(info.avatarUploadId),
    createdBy: info.createdBy,
    createdAt: presentTime(info.createdAtMs),
    updatedAt: presentTime(info.updatedAtMs),
    head: info.head,
    memberCount: info.memberCount,
    history: info.history === 'joined' ? 'joined' : 'all',
    slowModeSeconds: info.slowModeSeconds,
  };
}

/** A member's own view of a conversation. */
export function presentMembership(me: Membership): Conversation['me'] {
  return {
    role: presentRole(me.role),
    joinedAt: presentTime(me.joinedAtMs),
    firstSeq: me.firstSeq,
    readSeq: me.readSeq,
    deliveredSeq: me.deliveredSeq,
    unread: me.unread,
    unreadMentions: me.unreadMentions,
    archived: me.archived,
    pinned: me.pinned,
    mutedUntil: me.mutedUntilMs === 0 ? null : presentTime(me.mutedUntilMs),
    notify: notifyLevels.find((level) => level === me.notify) ?? 'all',
  };
}

/** A conversation as `readerId` sees it. */
export function presentConversation(
  conversation: LogConversation,
  readerId: string,
  users: UserLookup,
  uploads?: UploadLookup,
): Conversation {
  const { info, me, lastMessage } = conversation;
  if (!info || !me) throw new Error('a conversation without its parts');
  const peerId = info.directUserIds.find((id) => id !== readerId);
  return {
    ...presentConversationInfo(info),
    ...(peerId === undefined ? {} : { peer: users(peerId) }),
    ...(lastMessage ? { lastMessage: presentMessage(lastMessage, users, uploads) } : {}),
    me: presentMembership(me),
  };
}

/** The same for somebody who may be no member: then it is a room, and they get what is public of it. */
export function presentFound(
  conversation: LogConversation,
  readerId: string,
  users: UserLookup,
  uploads?: UploadLookup,
): FoundConversation {
  const { info, me } = conversation;
  if (me) return presentConversation(conversation, readerId, users, uploads);
  if (!info) throw new Error('a conversation without its parts');
  return { ...presentConversationInfo(info), me };
}
