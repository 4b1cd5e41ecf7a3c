import { randomUUID } from 'node:crypto';
import { hashOf } from '../../src/log/derived-id.ts';
import type { EntryBody, LogEntry } from '../../src/log/entry.ts';

export const message = (text: string): EntryBody => ({
  type: 'message:new',
  kind: 'text',
  text,
  attachments: [],
  editedAt: null,
  deletedAt: null,
});

/** The first entry of a group of these users, the first of whom owns it. */
export const creation = (...userIds: [string, ...string[]]): EntryBody => ({
  type: 'member:added',
  userIds,
  created: { type: 'group', name: 'g', description: '', createdBy: userIds[0] },
});

/** An entry as a process would write it. */
export function newEntry(
  conversationId: string,
  seq: number,
  senderId: string,
  body: EntryBody,
  rest: Partial<LogEntry> = {},
): LogEntry {
  const given = { conversationId, seq, senderId, body };
  const made = { clientMsgId: randomUUID(), at: 1_700_000_000_000 + seq, by: randomUUID() };
  return { ...given, ...made, bodyHash: hashOf(body), ...rest };
}
