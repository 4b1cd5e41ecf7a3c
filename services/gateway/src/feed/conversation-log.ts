import type { Entry } from '@bluewave/protos/generated/bluewave/chat/v1/Entry';
import type { FeedPage } from './conversation-feed.ts';

export type LogEntry = Entry;

/** A conversation, how far its log reaches, and how many members it has where that is told. */
export type ConversationHead = { conversationId: string; head: number; memberCount?: number | undefined };

/** Every conversation of a user, and whom they have blocked. */
export type UserMemberships = { conversations: readonly ConversationHead[]; blockedUserIds: readonly string[] };

/** The log as feeds read it. Every call ends within a deadline of its own and rejects with AppErrors. */
export type ConversationLog = {
  /** A page of entries after a seq. */
  entriesAfter(conversationId: string, seq: number): Promise<FeedPage<LogEntry>>;
  /** Committed heads; conversations that do not exist are left out. At most 1,000 ids. */
  headsOf(conversationIds: readonly string[]): Promise<ConversationHead[]>;
  membershipsOf(userId: string): Promise<UserMemberships>;
};
