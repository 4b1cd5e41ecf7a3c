import type { Entry } from '@bluewave/api/objects';
import type { Entry as LogEntry } from '@bluewave/protos/generated/bluewave/chat/v1/Entry';
import { presentConversationInfo, presentRole } from './present-conversation.ts';
import { presentMessage, type UploadLookup, type UserLookup, usersOfMessage } from './present-message.ts';
import { presentTime } from './present-time.ts';

/**
 * An entry for clients, the same for every member. @throws for an entry without a body: a newer service wrote a kind
 * that this gateway does not know.
 */
export function presentEntry(entry: LogEntry, users: UserLookup, uploads?: UploadLookup): Entry {
  const base = {
    conversationId: entry.conversationId,
    seq: entry.seq,
    actor: entry.actorId,
    at: presentTime(entry.atMs),
  };
  const idOf = (seq: number): string => `${entry.conversationId}:${seq}`;
  if (entry.messageNew) {
    return { ...base, type: 'message:new', message: presentMessage(entry.messageNew, users, uploads) };
  }
  if (entry.messageEdited) {
    return { ...base, type: 'message:edited', message: presentMessage(entry.messageEdited, users, uploads) };
  }
  if (entry.messageDeleted) return { ...base, type: 'message:deleted', messageId: idOf(entry.messageDeleted.seq) };
  if (entry.messageReaction) {
    const { seq, userId, emoji, on } = entry.messageReaction;
    return { ...base, type: 'message:reaction', messageId: idOf(seq), userId, emoji, on };
  }
  if (entry.messagePinned) {
    return { ...base, type: 'message:pinned', messageId: idOf(entry.messagePinned.seq), on: entry.messagePinned.on };
  }
  return presentMembershipEntry(entry, base);
}

function presentMembershipEntry(
  entry: LogEntry,
  base: { conversationId: string; seq: number; actor: string; at: string },
): Entry {
  if (entry.conversationUpdated) {
    return { ...base, type: 'conversation:updated', conversation: presentConversationInfo(entry.conversationUpdated) };
  }
  if (entry.conversationDeleted) return { ...base, type: 'conversation:deleted' };
  if (entry.membersAdded) return { ...base, type: 'member:added', userIds: entry.membersAdded.userIds };
  if (entry.memberRemoved) {
    const { userId, banned } = entry.memberRemoved;
    return { ...base, type: 'member:removed', userId, ...(banned ? { banned } : {}) };
  }
  if (entry.memberUpdated) {
    const { userId, role, demotedUserId } = entry.memberUpdated;
    const demoted = demotedUserId === '' ? {} : { demotedUserId };
    return { ...base, type: 'member:updated', userId, role: presentRole(role), ...demoted };
  }
  throw new Error(`entry ${entry.conversationId}:${entry.seq} is of no known kind`);
}

/** Whose names an entry shows. */
export function usersOfEntry(entry: LogEntry): string[] {
  const message = entry.messageNew ?? entry.messageEdited;
  return message ? usersOfMessage(message) : [];
}
