import { AppError } from '@bluewave/errors/app-error';
import { mayDo } from '../conversations/permissions.ts';
import type { MessageEntry } from '../messages/change-message.ts';
import type { Step } from '../receipts/trail-writer.ts';
import { requireMembership } from './conversation-views.ts';
import type { MessageReads, PointersOfMember } from './message-reads.ts';
import type { ReadStore } from './read-store.ts';

/** When a message came to a member and was read; undefined for not yet. Milliseconds since the epoch. */
export type MemberReceipt = { userId: string; deliveredAt: number | undefined; readAt: number | undefined };

/**
 * How far a message has come with each of those who were members when it was sent and still are, by user id. For its
 * sender, and in groups and rooms for moderators and above.
 * @throws FORBIDDEN for other members.
 */
export async function receiptsOf(
  { reads, messageReads }: { reads: ReadStore; messageReads: MessageReads },
  actorId: string,
  message: MessageEntry,
  after: string | null,
  limit: number,
): Promise<MemberReceipt[]> {
  const { conversationId, seq, senderId } = message;
  if (senderId !== actorId) {
    const [{ role }, shared] = await Promise.all([
      requireMembership(reads, conversationId, actorId),
      reads.shared([conversationId]),
    ]);
    const type = shared.get(conversationId)?.type ?? 'direct';
    if (!mayDo(type, role, 'see-receipts')) {
      throw new AppError('FORBIDDEN', 'Only its sender and moderators see who has read a message.');
    }
  }
  const members = await messageReads.pointers(message, { butUserId: senderId, after }, limit);
  await requireMembership(reads, conversationId, actorId);
  return members.map((member) => receiptOf(member, seq));
}

function receiptOf({ userId, readSeq, deliveredSeq, readAt, deliveredAt, trail }: PointersOfMember, seq: number) {
  return {
    userId,
    readAt: readSeq < seq ? undefined : earliest(trail?.read, seq, readAt),
    deliveredAt: deliveredSeq < seq ? undefined : earliest(trail?.delivered, seq, deliveredAt),
  };
}

/** The first known time at which a pointer was at a seq or above it; its last move when no earlier one is known. */
function earliest(steps: readonly Step[] = [], seq: number, lastMove: number | undefined): number | undefined {
  const times = steps.filter(({ s }) => s >= seq).map(({ at }) => at);
  return times.length > 0 ? Math.min(...times) : lastMove;
}
