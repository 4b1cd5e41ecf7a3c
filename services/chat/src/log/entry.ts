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
};

/**
 * The body of a `message:new` entry: what was sent, and beside it the message's current state, which later entries
 * (edits, deletion) bring up to date.
 */
export type MessageBody = {
  type: 'message:new';
  kind: MessageKind;
  text: string;
  attachments: Attachment[];
  editedAt: number | null;
  deletedAt: number | null;
};

export type EntryBody =
  | MessageBody
  | { type: 'message:edited'; target: number; text: string }
  | { type: 'message:deleted'; target: number }
  | { type: 'member:added'; userIds: string[]; created: ConversationInfo | null }
  | { type: 'member:removed'; userId: string };

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
      return true;
    case 'message:new':
    case 'message:edited':
    case 'message:deleted':
      return false;
    default:
      return type satisfies never;
  }
}

/** Whether an entry has an effect beyond itself that must be redone when its writer died. */
export function hasProjection(type: EntryType): boolean {
  return type !== 'message:new';
}
