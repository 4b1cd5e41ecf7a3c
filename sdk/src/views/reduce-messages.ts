import type { Entry, Media, Message } from '../contract.ts';
import type { HeldMessage } from '../store/store.ts';

/** Ascending by seq, each seq once. */
export type HeldMessages = readonly HeldMessage[];

/**
 * Messages after an entry. Entries that they already show change nothing; entries about messages that are not here are
 * passed over: whoever loads those later gets their current state.
 *
 * @param userId whose device this is
 * @param asOf the state of a message in the entry is at least as new as this seq
 */
export function applyToMessages(held: HeldMessages, entry: Entry, userId: string, asOf = entry.seq): HeldMessages {
  switch (entry.type) {
    case 'message:new':
      return mergeMessages(held, [{ message: entry.message, asOf: Math.max(asOf, entry.seq) }]);
    case 'message:edited':
      return patch(held, entry.message.id, entry.seq, (message) => ({
        ...withDetails(entry.message, message),
        reactions: message.reactions,
        starred: message.starred,
      }));
    case 'message:deleted':
      return patch(held, entry.messageId, entry.seq, (message) => deleted(message, entry.at));
    case 'message:pinned':
      return patch(held, entry.messageId, entry.seq, (message) => ({ ...message, pinned: entry.on }));
    case 'message:reaction':
      return patch(held, entry.messageId, entry.seq, (message) => ({
        ...message,
        reactions: react(message.reactions, entry.emoji, entry.on, entry.userId === userId),
      }));
    case 'conversation:updated':
    case 'conversation:deleted':
    case 'member:added':
    case 'member:removed':
    case 'member:updated':
      return held;
    default:
      // An entry of a kind that this version does not know.
      return held;
  }
}

/** Messages with others put in; of two states of one message the newer one stays. */
export function mergeMessages(held: HeldMessages, incoming: HeldMessages): HeldMessages {
  let merged = held;
  for (const one of incoming) merged = mergeOne(merged, one);
  return merged;
}

function mergeOne(held: HeldMessages, one: HeldMessage): HeldMessages {
  const { seq } = one.message;
  let at = held.length;
  while (at > 0 && (held[at - 1]?.message.seq ?? 0) >= seq) at -= 1;
  const present = held[at];
  if (present?.message.seq !== seq) return [...held.slice(0, at), one, ...held.slice(at)];
  if (present.asOf > one.asOf)
    return replace(held, at, { ...present, message: withDetails(present.message, one.message) });
  return replace(held, at, { ...one, message: withDetails(one.message, present.message) });
}

/** A state of a message with what only moves forward taken from another state of it. */
function withDetails(message: Message, other: Message): Message {
  return {
    ...message,
    status: furtherStatus(message.status, other.status),
    attachments: message.attachments.map((media) => laterMedia(media, other.attachments)),
  };
}

/** A deleted message: its place stays, its content goes. */
export function deleted(message: Message, at: string): Message {
  if (message.deletedAt !== undefined) return message;
  return { ...message, text: '', attachments: [], mentions: [], reactions: [], deletedAt: at };
}

/** Messages with one of them deleted. */
export function markDeleted(held: HeldMessages, messageId: string, at: string): HeldMessages {
  return held.map((one) => (one.message.id === messageId ? { ...one, message: deleted(one.message, at) } : one));
}

/** Messages with a newer state of an upload. */
export function updateMedia(held: HeldMessages, media: Media): HeldMessages {
  const shows = (message: Message): boolean => message.attachments.some(({ uploadId }) => uploadId === media.uploadId);
  if (!held.some(({ message }) => shows(message))) return held;
  return held.map((one) =>
    shows(one.message)
      ? {
          ...one,
          message: {
            ...one.message,
            attachments: one.message.attachments.map((old) => (old.uploadId === media.uploadId ? media : old)),
          },
        }
      : one,
  );
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

function patch(held: HeldMessages, id: string, seq: number, change: (message: Message) => Message): HeldMessages {
  const at = held.findLastIndex(({ message }) => message.id === id);
  const present = held[at];
  if (!present || present.asOf >= seq) return held;
  return replace(held, at, { message: change(present.message), asOf: seq });
}

function replace(held: HeldMessages, at: number, one: HeldMessage): HeldMessages {
  return [...held.slice(0, at), one, ...held.slice(at + 1)];
}

function react(reactions: Message['reactions'], emoji: string, on: boolean, own: boolean): Message['reactions'] {
  const present = reactions.find((one) => one.emoji === emoji) ?? { emoji, count: 0, mine: false };
  // An own reaction counts once, whatever was shown before the entry came.
  if (own && present.mine === on) return reactions;
  const changed = { emoji, count: present.count + (on ? 1 : -1), mine: own ? on : present.mine };
  const others = reactions.filter((one) => one !== present);
  return changed.count > 0 ? [...others, changed] : others;
}
