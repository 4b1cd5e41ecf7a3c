import type { RoomQuery } from '../conversations/room-listing.ts';
import type { Ban, ConversationInfo, LogEntry, Role } from '../log/entry.ts';

/** A member's own view of a conversation: membership from the log, pointers of their own. */
export type Membership = {
  conversationId: string;
  userId: string;
  role: Role;
  joinedSeq: number;
  joinedAt: number;
  /** First seq that the member may read: what is below is not there for them. */
  firstSeq: number;
  readSeq: number;
  deliveredSeq: number;
  preferences: Preferences;
  /** When pointers or preferences last changed; 0 for never. */
  changedAt: number;
};

/** How a member wants to see a conversation. `mutedUntil` in milliseconds since the epoch, null for not muted. */
export type Preferences = {
  archived: boolean;
  pinned: boolean;
  mutedUntil: number | null;
  notify: 'all' | 'mentions' | 'none';
};

/** Messages that a member has not read, and those of them that call the member. */
export type Unread = { count: number; mentions: number };

/** A message's place. */
export type Address = { conversationId: string; seq: number };

export type SharedInfo = ConversationInfo & {
  conversationId: string;
  /** The last entry that this reflects. */
  appliedSeq: number;
  createdAt: number;
  updatedAt: number;
  memberCount: number;
};

/** The last entry of a conversation. */
export type Head = { conversationId: string; seq: number; at: number };

/**
 * A membership with how far the log is indexed and when that entry was written (0 for none). `goesOn`: there are later entries;
 * without them `coveredTo` is the head. The member may see entries from `firstSeq` on.
 */
export type Overview = {
  conversationId: string;
  firstSeq: number;
  coveredTo: number;
  coveredAt: number;
  goesOn: boolean;
  /** The last entry that the member has read, or was added by. */
  readSeq: number;
};

/** A conversation as one member sees it in a list. */
export type Listed = {
  shared: SharedInfo;
  head: Head;
  directUserIds: string[];
  lastMessage: LogEntry | null;
  me: Membership;
  unread: Unread;
};

/** Entries of one conversation with after < seq <= upTo. */
export type Window = { conversationId: string; after: number; upTo: number };

/** Unread messages are counted up to here: nobody is told the difference, and counting must end in time. */
export const mostUnread = 10_000;

/** Reads of what is committed, each one query that ends in time. Rejections mean the store is away. */
export type ReadStore = {
  /** The membership of a user now, or null for non-members and absent conversations alike. */
  membership(conversationId: string, userId: string): Promise<Membership | null>;
  /** Those of the user in some conversations. */
  membershipsIn(userId: string, conversationIds: readonly string[]): Promise<Membership[]>;
  /** Those of the conversations that the user is a member of now, with the first seq that they may read of each. */
  memberOf(userId: string, conversationIds: readonly string[]): Promise<Map<string, number>>;
  /** All conversations of a user, or the one named if it is one of them. */
  overview(userId: string, conversationId?: string): Promise<Overview[]>;
  /** Those of the conversations that the user is a member of, in any order; what is not projected yet is left out. */
  listed(userId: string, conversationIds: readonly string[]): Promise<Listed[]>;
  /**
   * The same by no more than these entries of each conversation: head, last message and unread are those among them.
   * Conversations without any entry there are left out.
   */
  listedWithin(userId: string, windows: readonly Window[]): Promise<Listed[]>;
  /** Members by user id, ascending, after one. */
  members(conversationId: string, afterUserId: string | null, limit: number): Promise<Membership[]>;
  shared(conversationIds: readonly string[]): Promise<Map<string, SharedInfo>>;
  /** Every entry that was written before this time is published and projected, whoever wrote it; Infinity for all. */
  doneUpTo(): Promise<number>;
  /** The first entry of each conversation that changes permissions and is not projected; none where all are. */
  firstUnprojected(conversationIds: readonly string[]): Promise<Map<string, number>>;
  /** The heads of all conversations of a user. */
  headsOf(userId: string): Promise<Head[]>;
  /** All memberships of a user and the heads of their conversations, each head read after its membership. */
  membershipsWithHeads(userId: string): Promise<{ memberships: Membership[]; heads: Head[] }>;
  heads(conversationIds: readonly string[]): Promise<Head[]>;
  /** The last message that was not deleted, of each conversation that has one. */
  lastMessages(conversationIds: readonly string[]): Promise<Map<string, LogEntry>>;
  /**
   * Messages of others after each membership's read pointer that were not deleted, at most `mostUnread` of each.
   * @param heads the last seq of each conversation, as the caller read it before
   */
  unread(memberships: readonly Membership[], heads: ReadonlyMap<string, number>): Promise<Map<string, Unread>>;
  /** The two members, ever, of direct conversations. */
  directMembers(conversationIds: readonly string[]): Promise<Map<string, string[]>>;
  entry(conversationId: string, seq: number): Promise<LogEntry | null>;
  entries(conversationId: string, seqs: readonly number[]): Promise<LogEntry[]>;
  /** Entries at addresses in any conversations. */
  entriesAt(addresses: readonly Address[]): Promise<LogEntry[]>;
  /** Those of the messages that the user has starred, as `conversationId:seq`. */
  starredOf(userId: string, messages: readonly Address[]): Promise<Set<string>>;
  /** The user's own emoji on each of the messages, by `conversationId:seq`. */
  reactionsOf(userId: string, messages: readonly Address[]): Promise<Map<string, Set<string>>>;
  entriesAfter(conversationId: string, after: number, limit: number): Promise<LogEntry[]>;
  /**
   * Messages, and entries that are told as system messages, with from < seq < to: ascending from the lower end, or
   * descending from the upper end.
   */
  messages(
    conversationId: string,
    range: { from: number; to: number },
    ascending: boolean,
    limit: number,
  ): Promise<LogEntry[]>;
  /** The least pointers over all members but one: what everybody has. */
  leastPointers(conversationId: string, butUserId: string): Promise<{ readSeq: number; deliveredSeq: number } | null>;
  /** The same for many conversations; those without other members are left out. */
  leastPointersOf(
    conversationIds: readonly string[],
    butUserId: string,
  ): Promise<Map<string, { readSeq: number; deliveredSeq: number }>>;
  /** Members at a seq who still are, but one. */
  recipients(conversationId: string, seq: number, butUserId: string): Promise<Membership[]>;
  /** Whether a message or the picture of a conversation of the user shows the upload, or the picture of a room. */
  showsUpload(userId: string, uploadId: string): Promise<boolean>;
  /** Conversations with a message that shows the upload, and those whose picture it is. */
  conversationsShowing(uploadId: string): Promise<string[]>;
  /** Those of the others who share a conversation with the user. */
  acquainted(userId: string, others: readonly string[]): Promise<string[]>;
  /** A room that was not deleted, whoever asks. */
  room(conversationId: string): Promise<SharedInfo | null>;
  /** Rooms that somebody is in, by place, after one. */
  rooms(query: RoomQuery, after: string, limit: number): Promise<{ shared: SharedInfo; place: string }[]>;
  /** Those of the conversations that the user is kept out of at a time. */
  keptOutOf(userId: string, conversationIds: readonly string[], now: number): Promise<Set<string>>;
  /** Who is kept out at a time, by user id, ascending, after one. */
  bans(
    conversationId: string,
    afterUserId: string | null,
    limit: number,
    now: number,
  ): Promise<(Ban & { userId: string })[]>;
  /** Those who ceased to be members by the entry at a seq. */
  leftAt(conversationId: string, seq: number): Promise<string[]>;
};
