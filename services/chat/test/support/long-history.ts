import { randomUUID } from 'node:crypto';
import type { EntryBody } from '../../src/log/entry.ts';
import { toDocument } from '../../src/storage/entry-document.ts';
import { createMongoProjectionStore } from '../../src/storage/mongo-projection-store.ts';
import { project } from '../../src/log/projections.ts';
import type { ChatUnderTest } from './chat-under-test.ts';
import { creation, message, newEntry } from './entries.ts';

export type LongHistory = { conversationId: string; owner: string; friend: string; length: number };

/**
 * A group of two with a long log: the owner's creation, then messages in turn; every tenth entry edits the message
 * nine before it, and every hundredth deletes the one fifty before it.
 */
export async function writeLongHistory(chat: ChatUnderTest, length: number): Promise<LongHistory> {
  const [conversationId, owner, friend] = [randomUUID(), randomUUID(), randomUUID()];
  const projections = createMongoProjectionStore(chat.collections);
  const all = Array.from({ length }, (_, index) => {
    const seq = index + 1;
    const senderId = seq % 2 === 1 ? owner : friend;
    return newEntry(conversationId, seq, senderId, seq === 1 ? creation(owner, friend) : bodyOf(seq));
  });
  // Not by the store: its time limits are for the service, not for a busy machine that prepares a test.
  await chat.collections.entries.insertMany(all.map(toDocument));
  const projected = all.filter(({ body, seq }) => body.type !== 'message:new' && seq > 1);
  // No more at once than there are connections.
  for (let start = 0; start < projected.length; start += 16) {
    await Promise.all(projected.slice(start, start + 16).map((entry) => persist(() => project(projections, entry))));
  }
  await persist(() => projections.projectMembers(conversationId));
  return { conversationId, owner, friend, length };
}

/** Does a step again that ran out of time, as the publisher would. */
async function persist(step: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await step();
    } catch (error) {
      if (tries === 5) throw error;
    }
  }
}

function bodyOf(seq: number): EntryBody {
  if (seq % 100 === 0) return { type: 'message:deleted', target: seq - 49 };
  if (seq % 10 === 0) return { type: 'message:edited', target: seq - 8, text: `edited by ${seq}` };
  return message(`text of ${seq}`);
}

/** Seqs of the messages of such a log, the deleted ones, and the text each shows. */
export function messagesOf(length: number): { seq: number; text: string; isDeleted: boolean }[] {
  return Array.from({ length }, (_, index) => index + 1)
    .filter((seq) => seq > 1 && seq % 10 !== 0)
    .map((seq) => {
      const isDeleted = seq % 100 === 51 && seq + 49 <= length;
      const isEdited = seq % 10 === 2 && (seq + 8) % 100 !== 0 && seq + 8 <= length;
      return { seq, isDeleted, text: isDeleted ? '' : isEdited ? `edited by ${seq + 8}` : `text of ${seq}` };
    });
}
