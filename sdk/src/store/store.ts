import type { Conversation, Media, Message } from '../contract.ts';
import type { BluewaveError } from '../bluewave-error.ts';

/** A message as this device holds it. */
export type HeldMessage = {
  message: Message;
  /** It is at least as new as this entry of its conversation made it. */
  asOf: number;
};

/** A conversation as this device holds it. */
export type HeldConversation = {
  id: string;
  /** The last seq applied. */
  have: number;
  conversation: Conversation;
  /** Pointers that this device wants, whether or not the platform knows yet. */
  wanted: { readSeq: number; deliveredSeq: number };
};

/** What a failed operation keeps of its error. */
export type HeldProblem = Pick<BluewaveError, 'code' | 'message' | 'retryable' | 'traceId' | 'mutedUntil'>;

type Pending = {
  /** Unique; of a message it is its `clientMsgId`, of a change its Idempotency-Key. */
  id: string;
  conversationId: string;
  /** Operations of a conversation are carried out in this order. */
  order: number;
  /** By this device's clock, ISO 8601; for showing only. */
  createdAt: string;
  /** Set once it was refused for good. */
  problem?: HeldProblem;
};

export type MessageBody = {
  type?: 'text' | 'image' | 'file' | 'audio' | 'video';
  text?: string;
  /** Confirmed uploads. */
  attachments?: Media[];
  /** The id of the message that this one answers. */
  replyTo?: string;
  /** The id of the message whose thread this one belongs to. */
  threadRootId?: string;
  /** Ids of members to call; `all` calls everybody and needs a moderator. */
  mentions?: string[];
};

/** Something that the platform has not answered for good yet. */
export type OutboxItem = Pending &
  (
    | { kind: 'send'; body: MessageBody }
    /** `target` is a message id, or the `clientMsgId` of a message that is not sent yet. */
    | { kind: 'edit'; target: string; text: string; mentions?: string[] }
    | { kind: 'delete'; target: string }
  );

/** Everything that a client begins with. */
export type StoredState = {
  conversations: HeldConversation[];
  outbox: OutboxItem[];
  /** Small things by name, such as the id of the user. */
  values: Record<string, string>;
};

/** Changes that are kept all or not at all. */
export type StoreBatch = {
  conversations: HeldConversation[];
  /** The newest messages of a conversation, ascending by seq; replaces what was kept of it. */
  messages: { conversationId: string; messages: HeldMessage[] }[];
  outbox: OutboxItem[];
  values: { name: string; value: string }[];
  /** Removed together with their messages. */
  goneConversations: string[];
  goneOutbox: string[];
};

/**
 * Where a client keeps what shall outlive the page: the conversations with the last seq of each, their newest messages,
 * and the outbox. One client uses it at a time; it calls `write` again only when the last one has ended.
 */
export type Store = {
  load(): Promise<StoredState>;
  /** The kept messages of a conversation, ascending by seq; empty when there are none. */
  messages(conversationId: string): Promise<HeldMessage[]>;
  /** Resolves when the whole batch is durable; rejects when nothing of it is. */
  write(batch: StoreBatch): Promise<void>;
  /** Forgets everything: another user signed in. */
  clear(): Promise<void>;
  close(): Promise<void>;
};
