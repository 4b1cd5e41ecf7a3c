import type { Message } from '@bluewave/protos/generated/bluewave/chat/v1/Message';
import type { ReplyTo } from '@bluewave/protos/generated/bluewave/chat/v1/ReplyTo';
import type { LogEntry, MessageBody } from '../log/entry.ts';
import { type Hydrated, keyOf, nothingHydrated } from '../reading/hydrate.ts';
import { systemNoteOf } from '../reading/system-notes.ts';

/** A `message:new` entry, whose body is the message's current state. */
export type MessageEntry = LogEntry & { body: MessageBody };

/** How far a message has come, as its reader may know. */
export type StatusOf = (entry: LogEntry) => 'sent' | 'delivered' | 'read';

export function isMessage(entry: LogEntry): entry is MessageEntry {
  return entry.body.type === 'message:new';
}

const wasSent: StatusOf = () => 'sent';
/** UTF-16 units of an answered message's text that are shown with the answer. */
const previewLength = 140;

/** The message as services see it. What is the reader's own comes from what was hydrated for them. */
export function presentMessage(
  entry: MessageEntry,
  hydrated: Hydrated = nothingHydrated,
  statusOf: StatusOf = wasSent,
): Message {
  const { body, conversationId, seq } = entry;
  const key = keyOf(entry);
  const mine = hydrated.reacted.get(key);
  const { reactions, replies, lastReplySeq, forwards } = body.counts ?? noCounts;
  return {
    conversationId,
    seq,
    clientMsgId: entry.clientMsgId,
    type: body.kind,
    senderId: entry.senderId,
    text: body.text,
    attachments: body.attachments,
    createdAtMs: entry.at,
    editedAtMs: body.editedAt ?? 0,
    deletedAtMs: body.deletedAt ?? 0,
    status: statusOf(entry),
    mentionUserIds: body.mentions ?? [],
    mentionsAll: body.mentionsAll ?? false,
    replyTo: body.replyTo === undefined ? null : presentReply(conversationId, body.replyTo, hydrated),
    threadRootSeq: body.threadRoot ?? 0,
    thread: replies > 0 ? { replies, lastSeq: lastReplySeq } : null,
    forwarded: body.forwarded ? presentForwarded(body.forwarded, hydrated) : null,
    forwardCount: forwards,
    reactions: reactions.map(({ emoji, count }) => ({ emoji, count, mine: mine?.has(emoji) ?? false })),
    starred: hydrated.starred.has(key),
    pinned: body.pinned ?? false,
    system: null,
  };
}

const noCounts = { reactions: [], replies: 0, lastReplySeq: 0, forwards: 0 };

/** A message, or an entry that is told as one; null for every other entry. */
export function presentAsMessage(entry: LogEntry, hydrated?: Hydrated, statusOf?: StatusOf): Message | null {
  if (isMessage(entry)) return presentMessage(entry, hydrated, statusOf);
  const system = systemNoteOf(entry);
  if (!system) return null;
  const body: MessageBody = {
    ...{ type: 'message:new', kind: 'system', text: '', attachments: [] },
    ...{ editedAt: null, deletedAt: null },
  };
  return { ...presentMessage({ ...entry, body }), system };
}

/** Null when the message that is answered has left the log: of nothing there is no sender to show. */
function presentReply(conversationId: string, seq: number, { targets }: Hydrated): ReplyTo | null {
  const target = targets.get(keyOf({ conversationId, seq }));
  if (!target || !isMessage(target)) return null;
  const { text, kind, deletedAt } = target.body;
  return { seq, senderId: target.senderId, preview: previewOf(text), type: kind, deleted: deletedAt !== null };
}

/** The beginning of a text, without half a character at its end. */
function previewOf(text: string): string {
  if (text.length <= previewLength) return text;
  return text.slice(0, previewLength - 1).replace(/[\uD800-\uDBFF]$/, '') + '…';
}

function presentForwarded(
  { conversationId, seq, hops }: { conversationId: string; seq: number; hops: number },
  { openable }: Hydrated,
) {
  const firstSeq = openable.get(conversationId);
  const mayOpen = firstSeq !== undefined && seq >= firstSeq;
  return mayOpen ? { conversationId, seq, hops } : { conversationId: '', seq: 0, hops };
}
