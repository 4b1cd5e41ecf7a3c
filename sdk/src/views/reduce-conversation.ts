import type { Conversation, ConversationInfo, Entry } from '../contract.ts';
import { changeMessage } from './change-message.ts';

/**
 * A conversation after an entry; the same when it already shows it (`head`). What needs the log to be known exactly,
 * such as unread counts, is right again with the server's next view.
 *
 * @param userId whose device this is
 */
export function applyToConversation(conversation: Conversation, entry: Entry, userId: string): Conversation {
  if (entry.seq <= conversation.head) return conversation;
  return { ...change(conversation, entry, userId), head: entry.seq };
}

function change(conversation: Conversation, entry: Entry, userId: string): Conversation {
  const { lastMessage, me } = conversation;
  switch (entry.type) {
    case 'message:new':
      return { ...conversation, lastMessage: entry.message, me: countUnread(me, entry, userId) };
    case 'conversation:updated':
      return withInfo(conversation, entry.conversation);
    case 'member:added':
      return { ...conversation, memberCount: conversation.memberCount + entry.userIds.length };
    case 'member:removed':
      return { ...conversation, memberCount: Math.max(0, conversation.memberCount - 1) };
    case 'member:updated':
      return withRole(conversation, entry, userId);
    case 'message:edited':
    case 'message:deleted':
    case 'message:reaction':
    case 'message:pinned':
      return lastMessage ? { ...conversation, lastMessage: changeMessage(lastMessage, entry, userId) } : conversation;
    case 'conversation:deleted':
      // `conversation:removed` follows, for everybody who was in it.
      return conversation;
    default:
      // An entry of a kind that this version does not know.
      return conversation;
  }
}

/** A transfer changes two roles at once: the former owner is an admin. */
function withRole(
  conversation: Conversation,
  { userId: changed, role, demotedUserId }: Extract<Entry, { type: 'member:updated' }>,
  userId: string,
): Conversation {
  const { me } = conversation;
  if (changed === userId) return { ...conversation, me: { ...me, role } };
  return demotedUserId === userId ? { ...conversation, me: { ...me, role: 'admin' } } : conversation;
}

/** What all members share, replaced as a whole: a description that was taken away is absent. */
function withInfo({ head, me, lastMessage, peer }: Conversation, info: ConversationInfo): Conversation {
  return { ...info, head, me, ...(lastMessage ? { lastMessage } : {}), ...(peer ? { peer } : {}) };
}

function countUnread(
  me: Conversation['me'],
  { seq, message }: Extract<Entry, { type: 'message:new' }>,
  userId: string,
): Conversation['me'] {
  if (message.sender.id === userId || message.deletedAt !== undefined || seq <= me.readSeq) return me;
  const mentioned = message.mentionsAll === true || message.mentions.includes(userId) ? 1 : 0;
  return { ...me, unread: me.unread + 1, unreadMentions: me.unreadMentions + mentioned };
}

/** The server's view taken over; an older one than is held changes only what never moves back. */
export function takeView(held: Conversation | undefined, view: Conversation): Conversation {
  if (!held) return view;
  const [newer, older] = view.head >= held.head ? [view, held] : [held, view];
  const deliveredSeq = Math.max(newer.me.deliveredSeq, older.me.deliveredSeq);
  // Counts of a view from before something was read here are out of date.
  return readUpTo({ ...newer, me: { ...newer.me, deliveredSeq } }, older.me.readSeq);
}

/** A conversation in which everything up to `seq` was read. */
export function readUpTo(conversation: Conversation, seq: number): Conversation {
  const { me, head } = conversation;
  if (seq <= me.readSeq) return conversation;
  const all = seq >= head;
  return {
    ...conversation,
    me: {
      ...me,
      readSeq: seq,
      deliveredSeq: Math.max(me.deliveredSeq, seq),
      // How many messages lie between is for the platform to say; it does within a second.
      ...(all ? { unread: 0, unreadMentions: 0 } : {}),
    },
  };
}

/** When something last happened that people see, for sorting: ISO 8601. */
export function lastActivity({ lastMessage, createdAt }: Conversation): string {
  return lastMessage && lastMessage.createdAt > createdAt ? lastMessage.createdAt : createdAt;
}
