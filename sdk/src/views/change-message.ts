import type { Entry, Media, Message } from '../contract.ts';

type About<T extends Entry['type']> = Extract<Entry, { type: T }>;

/**
 * A message after an entry about it, about the message that it replies to, or about a reply in its thread.
 *
 * @param userId whose device this is
 * @returns the same message when the entry is about others
 */
export function changeMessage(message: Message, entry: Entry, userId: string): Message {
  switch (entry.type) {
    case 'message:new':
      return entry.message.threadRootId === message.id ? withReply(message, entry.seq) : message;
    case 'message:edited':
      return message.id === entry.message.id ? edited(message, entry) : withTarget(message, entry);
    case 'message:deleted':
      return message.id === entry.messageId ? deleted(message, entry.at) : withoutTarget(message, entry);
    case 'message:pinned':
      return message.id === entry.messageId ? { ...message, pinned: entry.on } : message;
    case 'message:reaction':
      return message.id === entry.messageId
        ? { ...message, reactions: react(message.reactions, entry, userId) }
        : message;
    default:
      return message;
  }
}

/** What an entry tells is the same for everybody: one's own star and reactions stay. */
function edited(message: Message, entry: About<'message:edited'>): Message {
  const { reactions, starred } = message;
  return { ...withDetails(entry.message, message), reactions, starred };
}

const previewLength = 140;

/** What a reply shows of the message that it replies to. */
export function quote({ id, seq, sender, type, text, deletedAt }: Message): NonNullable<Message['replyTo']> {
  return { messageId: id, seq, sender, type, preview: previewOf(text), deleted: deletedAt !== undefined };
}

/** The beginning of a text as the platform tells it, without half a character at its end. */
function previewOf(text: string): string {
  if (text.length <= previewLength) return text;
  return `${text.slice(0, previewLength - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

function withTarget(message: Message, entry: About<'message:edited'>): Message {
  if (message.replyTo?.messageId !== entry.message.id) return message;
  return { ...message, replyTo: { ...message.replyTo, preview: previewOf(entry.message.text) } };
}

function withoutTarget(message: Message, entry: About<'message:deleted'>): Message {
  if (message.replyTo?.messageId !== entry.messageId) return message;
  return { ...message, replyTo: { ...message.replyTo, preview: '', deleted: true } };
}

function withReply(root: Message, seq: number): Message {
  return { ...root, thread: { replies: (root.thread?.replies ?? 0) + 1, lastSeq: seq } };
}

/** The root of a thread with one reply less. `lastSeq` is that of the last one left that is known here. */
export function withoutReply({ thread, ...root }: Message, lastSeq: number): Message {
  if (!thread || thread.replies <= 1) return root;
  return { ...root, thread: { replies: thread.replies - 1, lastSeq } };
}

/** A deleted message: its place stays, its content goes. */
export function deleted(message: Message, at: string): Message {
  if (message.deletedAt !== undefined) return message;
  return { ...message, text: '', attachments: [], mentions: [], reactions: [], pinned: false, deletedAt: at };
}

/** A state of a message with what only moves forward taken from another state of it. */
export function withDetails(message: Message, other: Message): Message {
  return {
    ...message,
    status: furtherStatus(message.status, other.status),
    attachments: message.attachments.map((media) => laterMedia(media, other.attachments)),
  };
}

const statuses = ['sent', 'delivered', 'read'] as const;

export function furtherStatus(one: Message['status'], other: Message['status']): Message['status'] {
  return statuses.indexOf(one) >= statuses.indexOf(other) ? one : other;
}

const mediaStates = ['pending', 'processing', 'ready', 'rejected'] as const;

function laterMedia(media: Media, others: readonly Media[]): Media {
  const other = others.find(({ uploadId }) => uploadId === media.uploadId);
  return other && mediaStates.indexOf(other.status) > mediaStates.indexOf(media.status) ? other : media;
}

/** In the order in which each emoji was first shown. */
function react(
  reactions: Message['reactions'],
  { emoji, on, userId: actor }: About<'message:reaction'>,
  userId: string,
): Message['reactions'] {
  const present = reactions.find((one) => one.emoji === emoji);
  const { count, mine } = present ?? { count: 0, mine: false };
  const own = actor === userId;
  // An own reaction counts once, whatever was shown before the entry came.
  if (own && mine === on) return reactions;
  const changed = { emoji, count: count + (on ? 1 : -1), mine: own ? on : mine };
  const all = present ? reactions.map((one) => (one === present ? changed : one)) : [...reactions, changed];
  return all.filter((one) => one.count > 0);
}
