import type { Message } from '@bluewave/protos/generated/bluewave/chat/v1/Message';
import type { LogEntry } from '../log/entry.ts';
import { hydrate } from '../reading/hydrate.ts';
import type { ReadStore } from '../reading/read-store.ts';
import { presentMessages, statusFor } from './present-view.ts';

/** Messages of one conversation as their reader sees them: with how far the own ones have come, stars and emoji. */
export async function showMessages(
  reads: ReadStore,
  conversationId: string,
  readerId: string,
  entries: LogEntry[],
): Promise<Message[]> {
  const own = entries.some(({ senderId }) => senderId === readerId);
  const [hydrated, least] = await Promise.all([
    hydrate(reads, entries, readerId),
    own ? reads.leastPointers(conversationId, readerId) : null,
  ]);
  return presentMessages(entries, hydrated, statusFor(readerId, least));
}
