import { hasProjection, type LogEntry, type MessageBody } from './entry.ts';

/** What entries change beside themselves. Every call is idempotent and may be repeated in any order of processes. */
export type ProjectionStore = {
  /** Brings `conversations` and `members` up to the conversation's last committed permission entry. */
  projectMembers(conversationId: string): Promise<void>;
  /** Gives a message the text of its latest edit, unless it was deleted. */
  projectEdit(entry: LogEntry & { body: { type: 'message:edited' } }): Promise<void>;
  /** Takes the content out of a message and of all its edits; a thread has one reply less. */
  projectDeletion(entry: LogEntry & { body: { type: 'message:deleted' } }): Promise<void>;
  projectReaction(entry: LogEntry & { body: { type: 'message:reaction' } }): Promise<void>;
  projectPin(entry: LogEntry & { body: { type: 'message:pinned' } }): Promise<void>;
  /** Tells the message that a reply or a forward came from that there is one more. */
  projectMessage(entry: LogEntry & { body: MessageBody }): Promise<void>;
};

/** Carries out what an entry changes beside itself; nothing for a message. */
export async function project(store: ProjectionStore, entry: LogEntry): Promise<void> {
  const { body } = entry;
  switch (body.type) {
    case 'message:new':
      return hasProjection(body) ? store.projectMessage({ ...entry, body }) : undefined;
    case 'message:edited':
      return store.projectEdit({ ...entry, body });
    case 'message:deleted':
      return store.projectDeletion({ ...entry, body });
    case 'message:reaction':
      return store.projectReaction({ ...entry, body });
    case 'message:pinned':
      return store.projectPin({ ...entry, body });
    case 'member:added':
    case 'member:removed':
    case 'member:updated':
    case 'conversation:updated':
    case 'conversation:deleted':
      return store.projectMembers(entry.conversationId);
    default:
      body satisfies never;
  }
}
