import type { Entry, Media, Message } from '../contract.ts';
import type { HeldMessage } from '../store/store.ts';
import { changeMessage, deleted, withDetails, withoutReply } from './change-message.ts';

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
  const change = (message: Message): Message => changeMessage(message, entry, userId);
  switch (entry.type) {
    case 'message:new': {
      const { threadRootId } = entry.message;
      if (threadRootId !== undefined) patch(draft, threadRootId, entry.seq, change);
      return mergeOne(draft, { message: entry.message, asOf: Math.max(asOf, entry.seq) });
    }
    case 'message:edited':
      return patchWithReplies(draft, entry.message.id, entry.seq, change);
    case 'message:deleted': {
      const root = leaveThread(draft, entry.messageId, entry.seq);
      return patchWithReplies(draft, entry.messageId, entry.seq, change) || root;
    }
    case 'message:pinned':
    case 'message:reaction':
      return patch(draft, entry.messageId, entry.seq, change);
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

/** Messages with one of them deleted. */
export function markDeleted(held: HeldMessages, messageId: string, at: string): HeldMessages {
  return held.map((one) => (one.message.id === messageId ? { ...one, message: deleted(one.message, at) } : one));
}

/** Messages with an own star put on one of them, or taken away: no entry tells it, for it is nobody else's. */
export function markStarred(held: HeldMessages, messageId: string, on: boolean): HeldMessages {
  return markStars(held, ({ id, starred }) => (id === messageId ? on : starred));
}

/** Messages with own stars on those that have one. */
export function markStars(held: HeldMessages, isStarred: (message: Message) => boolean): HeldMessages {
  if (held.every(({ message }) => message.starred === isStarred(message))) return held;
  return held.map((one) => starOf(one, isStarred(one.message)));
}

function starOf(one: HeldMessage, on: boolean): HeldMessage {
  return one.message.starred === on ? one : { ...one, message: { ...one.message, starred: on } };
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

function patch(draft: Draft, id: string, seq: number, change: (message: Message) => Message): boolean {
  return patchAt(
    draft,
    draft.findLastIndex(({ message }) => message.id === id),
    seq,
    change,
  );
}

/** A message, and those that reply to it: they show its beginning. */
function patchWithReplies(draft: Draft, id: string, seq: number, change: (message: Message) => Message): boolean {
  let changed = false;
  for (const [at, { message }] of draft.entries()) {
    if (message.id === id || message.replyTo?.messageId === id) changed = patchAt(draft, at, seq, change) || changed;
  }
  return changed;
}

function patchAt(draft: Draft, at: number, seq: number, change: (message: Message) => Message): boolean {
  const present = draft[at];
  if (!present || present.asOf >= seq) return false;
  draft[at] = { message: change(present.message), asOf: seq };
  return true;
}

/** The thread of a message that is deleted has one reply less; of one that is not here it is not known which. */
function leaveThread(draft: Draft, id: string, seq: number): boolean {
  const rootId = draft.find(({ message }) => message.id === id)?.message.threadRootId;
  if (rootId === undefined) return false;
  const left = draft.findLast(
    ({ message }) => message.threadRootId === rootId && message.id !== id && message.deletedAt === undefined,
  );
  return patch(draft, rootId, seq, (root) => withoutReply(root, left?.message.seq ?? 0));
}
