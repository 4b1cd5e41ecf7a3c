import type { Conversation } from '@bluewave/protos/generated/bluewave/chat/v1/Conversation';
import type { Entry } from '@bluewave/protos/generated/bluewave/chat/v1/Entry';
import type { Membership as MembershipMessage } from '@bluewave/protos/generated/bluewave/chat/v1/Membership';
import type { Message } from '@bluewave/protos/generated/bluewave/chat/v1/Message';
import { presentEntry, presentInfo } from '../events/present-entry.ts';
import { isMessage, presentAsMessage, presentMessage, type StatusOf } from '../events/present-message.ts';
import type { LogEntry } from '../log/entry.ts';
import type { ConversationView } from '../reading/conversation-views.ts';
import type { Hydrated } from '../reading/hydrate.ts';
import type { Membership } from '../reading/read-store.ts';
import type { RoomPreview } from '../reading/room-views.ts';
import type { Pointers } from '../receipts/pointer-writer.ts';

/** Delivered or read by everybody else, for the reader's own messages; others' are just there. */
export function statusFor(readerId: string, least: Pointers | null): StatusOf {
  return (entry) => {
    if (entry.senderId !== readerId || !least) return 'sent';
    if (least.readSeq >= entry.seq) return 'read';
    return least.deliveredSeq >= entry.seq ? 'delivered' : 'sent';
  };
}

export function presentMessages(entries: LogEntry[], hydrated: Hydrated, statusOf: StatusOf): Message[] {
  return entries.flatMap((entry) => presentAsMessage(entry, hydrated, statusOf) ?? []);
}

export function presentEntries(entries: LogEntry[], hydrated: Hydrated, statusOf?: StatusOf): Entry[] {
  return entries.map((entry) => presentEntry(entry, hydrated, statusOf));
}

export function presentView(view: ConversationView): Conversation {
  const { shared, lastMessage } = view;
  return {
    info: presentInfo(shared, view.head, view.directUserIds),
    lastMessage: lastMessage && isMessage(lastMessage) ? presentMessage(lastMessage) : null,
    me: presentMembership(view.me, view.unread),
  };
}

/** A room for who is no member. */
export function presentPreview({ shared, head }: RoomPreview): Conversation {
  return { info: presentInfo(shared, head, []), lastMessage: null, me: null };
}

function presentMembership(me: Membership, unread: ConversationView['unread']): MembershipMessage {
  const { archived, pinned, mutedUntil, notify } = me.preferences;
  return {
    role: me.role,
    joinedAtMs: me.joinedAt,
    readSeq: me.readSeq,
    deliveredSeq: me.deliveredSeq,
    unread: unread.count,
    unreadMentions: unread.mentions,
    archived,
    pinned,
    mutedUntilMs: mutedUntil ?? 0,
    notify,
    firstSeq: me.firstSeq,
  };
}
