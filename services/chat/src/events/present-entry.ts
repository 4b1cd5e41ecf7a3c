import type { ConversationInfo as ConversationInfoMessage } from '@bluewave/protos/generated/bluewave/chat/v1/ConversationInfo';
import type { Entry } from '@bluewave/protos/generated/bluewave/chat/v1/Entry';
import type { ConversationInfo, LogEntry } from '../log/entry.ts';
import { asOfChange, asOfEdit } from '../reading/ahead-of-projections.ts';
import { type Hydrated, keyOf, nothingHydrated } from '../reading/hydrate.ts';
import type { SharedInfo } from '../reading/read-store.ts';
import { isMessage, presentMessage, type StatusOf } from './present-message.ts';

/** An entry as services see it: whoever may read the conversation is shown the same, but for what was hydrated. */
export function presentEntry(entry: LogEntry, hydrated: Hydrated = nothingHydrated, statusOf?: StatusOf): Entry {
  const base = {
    conversationId: entry.conversationId,
    seq: entry.seq,
    actorId: entry.senderId,
    atMs: entry.at,
  };
  const { body } = entry;
  switch (body.type) {
    case 'message:new':
      return { ...base, messageNew: presentMessage({ ...entry, body }, hydrated, statusOf) };
    case 'message:edited': {
      const target = hydrated.targets.get(keyOf({ conversationId: entry.conversationId, seq: body.target }));
      // What is edited may have left the log before its edit: then there is no such message any more.
      if (!target || !isMessage(target)) return { ...base, messageDeleted: { seq: body.target } };
      return { ...base, messageEdited: presentMessage(asOfEdit(target, { ...entry, body }), hydrated, statusOf) };
    }
    case 'message:deleted':
      return { ...base, messageDeleted: { seq: body.target } };
    case 'message:reaction':
      return {
        ...base,
        messageReaction: { seq: body.target, userId: entry.senderId, emoji: body.emoji, on: body.on },
      };
    case 'message:pinned':
      return { ...base, messagePinned: { seq: body.target, on: body.on } };
    default:
      return { ...base, ...presentMembership({ ...entry, body }, hydrated) };
  }
}

type MessageType = 'message:new' | 'message:edited' | 'message:deleted' | 'message:reaction' | 'message:pinned';
type MembershipEntry = LogEntry & { body: Exclude<LogEntry['body'], { type: MessageType }> };

function presentMembership(entry: MembershipEntry, { shared }: Hydrated): Partial<Entry> {
  const { body, conversationId } = entry;
  switch (body.type) {
    case 'member:added': {
      const created = body.created ? presentCreated(entry, body.created, body.userIds) : null;
      return { membersAdded: { userIds: body.userIds, created } };
    }
    case 'member:removed':
      return { memberRemoved: { userId: body.userId, banned: body.ban !== undefined } };
    case 'member:updated':
      return { memberUpdated: { userId: body.userId, role: body.role, demotedUserId: body.demoted ?? '' } };
    case 'conversation:updated': {
      const info = shared.get(conversationId);
      const now = info && asOfChange(info, { ...entry, body });
      return { conversationUpdated: now ? presentInfo(now, entry.seq, []) : null };
    }
    case 'conversation:deleted':
      return { conversationDeleted: {} };
    default:
      return body satisfies never;
  }
}

/** What all members share of a conversation, with its last seq. */
export function presentInfo(info: SharedInfo, head: number, directUserIds: string[]): ConversationInfoMessage {
  return {
    id: info.conversationId,
    type: info.type,
    name: info.name,
    description: info.description,
    avatarUploadId: info.avatar ?? '',
    createdBy: info.createdBy,
    createdAtMs: info.createdAt,
    updatedAtMs: info.updatedAt,
    head,
    memberCount: info.memberCount,
    directUserIds,
    history: info.history ?? 'all',
    slowModeSeconds: info.slowModeSeconds ?? 0,
  };
}

function presentCreated(entry: LogEntry, info: ConversationInfo, userIds: string[]): ConversationInfoMessage {
  const { conversationId, at } = entry;
  const reflected = { appliedSeq: entry.seq, createdAt: at, updatedAt: at };
  const shared = { ...info, conversationId, ...reflected, memberCount: userIds.length };
  return presentInfo(shared, entry.seq, info.type === 'direct' ? userIds : []);
}
