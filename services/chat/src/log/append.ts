import type { ConversationState } from './conversation-state.ts';
import type { EntryBody, LogEntry } from './entry.ts';

export type AppendRequest = {
  conversationId: string;
  senderId: string;
  /** Makes the append happen at most once, however often it is repeated. */
  clientMsgId: string;
  /** Of what the client asked for: tells a repeat from another request under the same clientMsgId. */
  bodyHash: Uint8Array;
  traceId: string;
  /** Milliseconds since the epoch. */
  deadline: number;
  /**
   * The rules, against the state as of the head that the entry would follow; called again whenever that moved.
   * Pure: throws an AppError to refuse, returns null when there is nothing to write.
   */
  prepare(state: ConversationState): EntryBody | null;
};

/** `entry` is null when there was nothing to write; `duplicate` when an earlier request had committed it. */
export type AppendResult = { entry: LogEntry | null; duplicate: boolean };
