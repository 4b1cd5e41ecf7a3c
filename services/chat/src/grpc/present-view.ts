import type { Conversation } from '@bluewave/protos/generated/bluewave/chat/v1/Conversation';
import type { Entry } from '@bluewave/protos/generated/bluewave/chat/v1/Entry';
import type { Message } from '@bluewave/protos/generated/bluewave/chat/v1/Message';
import { isMessage, presentEntry, presentMessage } from '../events/present-entry.ts';
import type { LogEntry } from '../log/entry.ts';
import type { ConversationView } from '../reading/conversation-views.ts';
import { type LogPage, targetKey } from '../reading/log-pages.ts';
import type { Pointers } from '../receipts/pointer-writer.ts';

/** Delivered or read by everybody else, for the reader's own messages; others' are just there. */
export function statusOf(entry: LogEntry, readerId: string, least: Pointers | null): 'sent' | 'delivered' | 'read' {
  if (entry.senderId !== readerId || !least) return 'sent';
  if (least.readSeq >= entry.seq) return 'read';
  return least.deliveredSeq >= entry.seq ? 'delivered' : 'sent';
}

export function presentMessages(entries: LogEntry[], readerId: string, least: Pointers | null): Message[] {
  return entries.filter(isMessage).map((entry) => presentMessage(entry, statusOf(entry, readerId, least)));
}

export function presentPage(page: LogPage, readerId: string, least: Pointers | null): Entry[] {
  return page.entries.map((entry) => {
    const { body } = entry;
    const target =
      body.type === 'message:edited' ? page.targets.get(targetKey(entry.conversationId, body.target)) : null;
    const message = isMessage(entry) ? presentMessage(entry, statusOf(entry, readerId, least)) : undefined;
    return presentEntry(entry, target && isMessage(target) ? target : null, message);
  });
}

export function presentView(view: ConversationView): Conversation {
  const { shared, me } = view;
  return {
    info: {
      id: shared.conversationId,
      type: shared.type,
      name: shared.name,
      description: shared.description,
      avatarUrl: '',
      createdBy: shared.createdBy,
      createdAtMs: shared.createdAt,
      updatedAtMs: shared.updatedAt,
      head: view.head,
      memberCount: shared.memberCount,
      directUserIds: view.directUserIds,
    },
    lastMessage: view.lastMessage && isMessage(view.lastMessage) ? presentMessage(view.lastMessage) : null,
    me: {
      role: me.role,
      joinedAtMs: me.joinedAt,
      readSeq: me.readSeq,
      deliveredSeq: me.deliveredSeq,
      unread: view.unread,
    },
  };
}
