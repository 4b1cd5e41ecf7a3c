import type { LogEntry } from './entry.ts';

/** What entries change beside themselves. Every call is idempotent and may be repeated in any order of processes. */
export type ProjectionStore = {
  /** Brings `conversations` and `members` up to the conversation's last committed permission entry. */
  projectMembers(conversationId: string): Promise<void>;
  /** Gives a message the text of its latest edit, unless it was deleted. */
  projectEdit(entry: LogEntry & { body: { type: 'message:edited' } }): Promise<void>;
  /** Takes the content out of a message and of all its edits. */
  projectDeletion(entry: LogEntry & { body: { type: 'message:deleted' } }): Promise<void>;
};

/** Carries out what an entry changes beside itself; nothing for a message. */
export async function project(store: ProjectionStore, entry: LogEntry): Promise<void> {
  const { body } = entry;
  switch (body.type) {
    case 'message:new':
      return;
    case 'message:edited':
      return store.projectEdit({ ...entry, body });
    case 'message:deleted':
      return store.projectDeletion({ ...entry, body });
    case 'member:added':
    case 'member:removed':
      return store.projectMembers(entry.conversationId);
    default:
      body satisfies never;
  }
}
