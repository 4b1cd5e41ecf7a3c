import { notFound } from '@bluewave/errors/app-error';
import type { LogEntry } from '../log/entry.ts';
import { type MessageEntry, requireMessage } from '../messages/change-message.ts';
import { requireMembership } from '../reading/conversation-views.ts';
import type { ReadStore } from '../reading/read-store.ts';
import { checkIds } from './check-request.ts';

export type MessageAddress = { actorId: string; conversationId: string; seq: number };

/**
 * An entry at an address as a member may read it.
 * @throws NOT_FOUND for non-members, for what is before the member's time and for what is not there, alike.
 */
export async function readEntry(reads: ReadStore, address: MessageAddress): Promise<LogEntry> {
  const { actorId, conversationId, seq } = address;
  checkIds(actorId, conversationId);
  const entry = await reads.entry(conversationId, seq);
  const { firstSeq } = await requireMembership(reads, conversationId, actorId);
  if (!entry || seq < firstSeq) throw notFound();
  return entry;
}

/** The same, of messages alone: to everything else one cannot react, reply or point. */
export async function readMessage(reads: ReadStore, address: MessageAddress): Promise<MessageEntry> {
  return requireMessage(await readEntry(reads, address));
}
