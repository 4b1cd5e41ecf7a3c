import { readUuid } from '@bluewave/mongo/uuid';
import type { Membership, SharedInfo } from '../reading/read-store.ts';
import type { ConversationDocument, MemberDocument } from './collections.ts';
import { infoOf } from './conversation-document.ts';

export function fromMember(document: MemberDocument): Membership {
  return {
    conversationId: readUuid(document.c),
    userId: readUuid(document.u),
    role: document.role,
    joinedSeq: document.joinedSeq,
    joinedAt: document.joinedAt.getTime(),
    firstSeq: document.firstSeq,
    readSeq: document.readSeq ?? 0,
    deliveredSeq: document.deliveredSeq ?? 0,
    preferences: {
      archived: document.archived ?? false,
      pinned: document.pinned ?? false,
      mutedUntil: document.mutedUntil?.getTime() ?? null,
      notify: document.notify ?? 'all',
    },
    changedAt: document.meAt?.getTime() ?? 0,
  };
}

export function fromConversation(document: ConversationDocument): SharedInfo {
  return {
    ...infoOf(document),
    conversationId: readUuid(document._id),
    appliedSeq: document.appliedSeq,
    createdAt: document.createdAt.getTime(),
    updatedAt: document.updatedAt.getTime(),
    memberCount: document.memberCount,
  };
}
