/**
 * Entries of a conversation's log as the rules see them. Ids are UUID strings, times milliseconds since the epoch.
 * A conversation's entries have seq 1, 2, 3... without holes; the entry at seq 1 creates the conversation.
 */
export type ConversationType = 'direct' | 'group' | 'room';
export type Role = 'owner' | 'admin' | 'moderator' | 'member';
export type MessageKind = 'text' | 'image' | 'file' | 'audio' | 'video' | 'system';

export type Attachment = {
  uploadId: string;
  kind: string;
  fileName: string;
  contentType: string;
  size: number;
  width: number;
  height: number;
  durationMs: number;
  thumbhash: string;
  status: string;
  hasThumbnail: boolean;
};

/** What is shared by all members of a conversation. */
export type ConversationInfo = {
  type: ConversationType;
  name: string;
  description: string;
  createdBy: string;
  /** The upload that is shown as its picture; absent for none. */
  avatar?: string;
  /** Whether those who join see what was before them; absent for all of it. */
  history?: 'all' | 'joined';
  /** Least seconds between two messages of a plain member; absent or 0 for no such limit. */
  slowModeSeconds?: number;
};

/** What a `conversation:updated` entry changes; what is absent stays. An empty `avatar` takes the picture away. */
export type ConversationChanges = Partial<
  Pick<ConversationInfo, 'name' | 'description' | 'avatar' | 'history' | 'slowModeSeconds'>
>;

/** Somebody is kept out, until a time (milliseconds since the epoch) or for good (null). */
export type Ban = { reason: string; until: number | null };

/** Where a forwarded message came from, and how many forwards led to it. */
export type ForwardedFrom = { conversationId: string; seq: number; hops: number };

/** What other entries, here and elsewhere, add up to for one message. Recomputed, never counted up. */
export type MessageCounts = {
  /** By emoji, in the order of their first use. */
  reactions: { emoji: string; count: number }[];
  /** Replies in its thread that were not deleted, and the seq of the last of them (0 for none). */
  replies: number;
  lastReplySeq: number;
  forwards: number;
};

/**
 * The body of a `message:new` entry: what was sent, and beside it the message's current state, which later entries
 * (edits, deletion, reactions, replies, forwards) bring up to date. What is absent is empty, none or false.
 */
export type MessageBody = {
  type: 'message:new';
  kind: MessageKind;
  text: string;
  attachments: Attachment[];
  /** Members who are called, and whether all of them are. */
  mentions?: string[];
  mentionsAll?: boolean;
  /** Seq of the message that this one answers. */
  replyTo?: number;
  /** Seq of the message whose thread this one is in. */
  threadRoot?: number;
  forwarded?: ForwardedFrom;
  editedAt: number | null;
  deletedAt: number | null;
  pinned?: boolean;
  counts?: MessageCounts;
  /** Seqs of the entries that edited it, and the text before the first of them. */
  edits?: number[];
  original?: string;
};

export type EntryBody =
  | MessageBody
  | { type: 'message:edited'; target: number; text: string; mentions?: string[]; mentionsAll?: boolean }
  | { type: 'message:deleted'; target: number }
  | { type: 'message:reaction'; target: number; emoji: string; on: boolean }
  | { type: 'message:pinned'; target: number; on: boolean }
  /** `banned` and `lifted` concern people who are not members. */
  | {
      type: 'conversation:updated';
      changes: ConversationChanges;
      banned?: Ban & { userId: string };
      lifted?: string;
    }
  | { type: 'conversation:deleted' }
  /** With `owned`, who is added owns the room from now on: nobody did. */
  | { type: 'member:added'; userIds: string[]; created: ConversationInfo | null; owned?: true }
  | { type: 'member:removed'; userId: string; ban?: Ban }
  /** `demoted` was the owner, who is an admin now. */
  | { type: 'member:updated'; userId: string; role: Role; demoted?: string };

export type EntryType = EntryBody['type'];

/** A committed entry. `by` is the boot of the process that wrote it. */
export type LogEntry = {
  conversationId: string;
  seq: number;
  senderId: string;
  clientMsgId: string;
  body: EntryBody;
  /** Of what the client asked for: tells a repeat from a misuse of the same clientMsgId. */
  bodyHash: Uint8Array;
  at: number;
  by: string;
};

/** Whether an entry changes who may do what: it travels alone, and projections are redone from it. */
export function changesPermissions(type: EntryType): boolean {
  switch (type) {
    case 'member:added':
    case 'member:removed':
    case 'member:updated':
    case 'conversation:updated':
    case 'conversation:deleted':
      return true;
    case 'message:new':
    case 'message:edited':
    case 'message:deleted':
    case 'message:reaction':
    case 'message:pinned':
      return false;
    default:
      return type satisfies never;
  }
}

/** Whether an entry has an effect beyond itself that must be redone when its writer died. */
export function hasProjection(body: EntryBody): boolean {
  return body.type !== 'message:new' || body.threadRoot !== undefined || body.forwarded !== undefined;
}
