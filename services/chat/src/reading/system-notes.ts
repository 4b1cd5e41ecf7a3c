import type { LogEntry } from '../log/entry.ts';

/** What an entry tells as a system message. `name` is the new name, of `renamed`. */
export type SystemNote = {
  event: 'joined' | 'added' | 'left' | 'removed' | 'renamed';
  userIds: string[];
  name: string;
};

/** Joins, leaves and renames as system messages; null for every other entry, the first of a conversation included. */
export function systemNoteOf({ senderId, body }: LogEntry): SystemNote | null {
  switch (body.type) {
    case 'member:added': {
      if (body.created) return null;
      const joined = body.userIds.length === 1 && body.userIds[0] === senderId;
      return { event: joined ? 'joined' : 'added', userIds: body.userIds, name: '' };
    }
    case 'member:removed':
      return { event: body.userId === senderId ? 'left' : 'removed', userIds: [body.userId], name: '' };
    case 'conversation:updated':
      return body.changes.name === undefined ? null : { event: 'renamed', userIds: [], name: body.changes.name };
    default:
      return null;
  }
}
