import type { Entry, Media, Message } from '../contract.ts';
import type { HeldMessage } from '../store/store.ts';

/** Ascending by seq, each seq once. */
export type HeldMessages = readonly HeldMessage[];

/** An entry, and the seq that messages in it are at least as new as. */
export type AppliedEntry = { entry: Entry; asOf: number };

/** Messages that are being changed: thousands of entries at once must not copy them thousands of times. */
type Draft = HeldMessage[];

/**
 * Messages after entries. Entries that they already show change nothing; entries about messages that are not here are
 * passed over: whoever loads those later gets their current state.
 *
 * @param userId whose device this is
 * @returns the same messages when nothing is different
 */
export function applyEntries(held: HeldMessages, entries: readonly AppliedEntry[], userId: string): HeldMessages {
  const draft = [...held];
  let changed = false;
  for (const { entry, asOf } of entries) changed = applyOne(draft, entry, userId, asOf) || changed;
  return changed ? draft : held;
}

/** Messages with others put in; of two states of one message the newer one stays. */
export function mergeMessages(held: HeldMessages, incoming: HeldMessages): HeldMessages {
  const draft = [...held];
  for (const one of incoming) mergeOne(draft, one);
  return draft;
}

/** @returns whether something is different. */
function applyOne(draft: Draft, entry: Entry, userId: string, asOf: number): boolean {
  switch (entry.type) {
    case 'message:new':
      return mergeOne(draft, { message: entry.message, asOf: Math.max(asOf, entry.seq) });
    case 'message:edited':
      return patch(draft, entry.message.id, entry.seq, (message) => ({
        ...withDetails(entry.message, message),
        reactions: message.reactions,
        starred: message.starred,
      }));
    case 'message:deleted':
      return patch(draft, entry.messageId, entry.seq, (message) => deleted(message, entry.at));
    case 'message:pinned':
      return patch(draft, entry.messageId, entry.seq, (message) => ({ ...message, pinned: entry.on }));
    case 'message:reaction':
      return patch(draft, entry.messageId, entry.seq, (message) => ({
        ...message,
        reactions: react(message.reactions, entry.emoji, entry.on, entry.userId === userId),
      }));
    case 'conversation:updated':
    case 'conversation:deleted':
    case 'member:added':
    case 'member:removed':
    case 'member:updated':
      return false;
    default:
      // An entry of a kind that this version does not know.
      return false;
  }
}

function mergeOne(draft: Draft, one: HeldMessage): boolean {
  const at = positionOf(draft, one.message.seq);
  const present = draft[at];
  if (present?.message.seq !== one.message.seq) draft.splice(at, 0, one);
  else if (present.asOf > one.asOf) draft[at] = { ...present, message: withDetails(present.message, one.message) };
  else draft[at] = { ...one, message: withDetails(one.message, present.message) };
  return true;
}

/** Where a seq is, or where it would have to be put. */
function positionOf(draft: HeldMessages, seq: number): number {
  let [low, high] = [0, draft.length];
  // Nearly always it is the newest.
  if ((draft[high - 1]?.message.seq ?? 0) < seq) return high;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((draft[middle]?.message.seq ?? 0) < seq) low = middle + 1;
    else high = middle;
  }
  return low;
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
  return { ...message, text: '', attachments: [], mentions: [], reactions: [], pinned: false, deletedAt: at };
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

function patch(draft: Draft, id: string, seq: number, change: (message: Message) => Message): boolean {
  const at = draft.findLastIndex(({ message }) => message.id === id);
  const present = draft[at];
  if (!present || present.asOf >= seq) return false;
  draft[at] = { message: change(present.message), asOf: seq };
  return true;
}

function react(reactions: Message['reactions'], emoji: string, on: boolean, own: boolean): Message['reactions'] {
  const present = reactions.find((one) => one.emoji === emoji) ?? { emoji, count: 0, mine: false };
  // An own reaction counts once, whatever was shown before the entry came.
  if (own && present.mine === on) return reactions;
  const changed = { emoji, count: present.count + (on ? 1 : -1), mine: own ? on : present.mine };
  const others = reactions.filter((one) => one !== present);
  return changed.count > 0 ? [...others, changed] : others;
}
