import type { AppendRequest, AppendResult } from './append.ts';
import type { ConversationState } from './conversation-state.ts';
import type { LogEntry } from './entry.ts';
import type { Hold } from './outbox.ts';

/** One append on its way: from the request to its definitive answer. */
export type PendingAppend = {
  readonly request: AppendRequest;
  /** Place among all that this process was asked for. */
  readonly order: number;
  /** Taken with the first attempt and kept until the outcome is certain and seen to. */
  hold: Hold | undefined;
  /** Some attempt's outcome was unknown: what is found under its clientMsgId may be our own and unpublished. */
  attemptUnknown: boolean;
  resolve(result: AppendResult): void;
  reject(error: unknown): void;
};

/** The appends of one conversation in this process, one attempt at a time. */
export type Lane = {
  readonly id: string;
  /** Undefined until loaded. */
  state: ConversationState | undefined;
  /** The state was read from the log after this was asked for (see PendingAppend.order): it may refuse it. */
  currentFor: number;
  /** When the head was last seen to be the log's, milliseconds since the epoch. */
  knownAt: number;
  readonly queue: PendingAppend[];
  /** An attempt or a catch-up is under way. */
  busy: boolean;
};

/** An entry that is ready to be inserted, with what it came from. */
export type Attempt = { lane: Lane; pending: PendingAppend; entry: LogEntry };
