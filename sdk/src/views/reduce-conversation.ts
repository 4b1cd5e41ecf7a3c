import type { Conversation, ConversationInfo, Entry } from '../contract.ts';
import { deleted } from './reduce-messages.ts';

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
    case 'message:edited':
      return lastMessage?.id === entry.message.id ? { ...conversation, lastMessage: entry.message } : conversation;
    case 'message:deleted':
      return lastMessage?.id === entry.messageId
        ? { ...conversation, lastMessage: deleted(lastMessage, entry.at) }
        : conversation;
    case 'conversation:updated':
      return withInfo(conversation, entry.conversation);
    case 'member:added':
      return { ...conversation, memberCount: conversation.memberCount + entry.userIds.length };
    case 'member:removed':
      return { ...conversation, memberCount: Math.max(0, conversation.memberCount - 1) };
    case 'member:updated':
      return entry.userId === userId ? { ...conversation, me: { ...me, role: entry.role } } : conversation;
    case 'message:reaction':
    case 'message:pinned':
    case 'conversation:deleted':
      return conversation;
    default:
      // An entry of a kind that this version does not know.
      return conversation;
  }
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
  const mentioned = message.mentions.includes(userId) ? 1 : 0;
  return { ...me, unread: me.unread + 1, unreadMentions: me.unreadMentions + mentioned };
}

/** The server's view taken over; an older one than is held changes only what never moves back. */
export function takeView(held: Conversation | undefined, view: Conversation): Conversation {
  if (!held) return view;
  const [newer, older] = view.head >= held.head ? [view, held] : [held, view];
  return {
    ...newer,
    me: {
      ...newer.me,
      readSeq: Math.max(newer.me.readSeq, older.me.readSeq),
      deliveredSeq: Math.max(newer.me.deliveredSeq, older.me.deliveredSeq),
    },
  };
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
