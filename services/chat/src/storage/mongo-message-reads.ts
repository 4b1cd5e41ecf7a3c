import { committed, operationMs } from '@bluewave/mongo/connect';
import { readUuid, storeUuid } from '@bluewave/mongo/uuid';
import type { MessageReads, PointersOfMember } from '../reading/message-reads.ts';
import type { ChatCollections, MemberDocument, TrailDocument } from './collections.ts';
import { fromDocument } from './entry-document.ts';

const read = { ...committed, maxTimeMS: operationMs } as const;

export function createMongoMessageReads({ entries, reactions, members, trails }: ChatCollections): MessageReads {
  return {
    async ownReactions({ conversationId, seq }, userId) {
      const found = await reactions
        .find({ u: storeUuid(userId), c: storeUuid(conversationId), s: seq }, read)
        .toArray();
      return found.map(({ e, on, seq: since }) => ({ emoji: e, on, seq: since }));
    },
    async reactions({ conversationId, seq }, { emoji, after }, limit) {
      const shown = { c: storeUuid(conversationId), s: seq, on: true };
      const which =
        emoji === undefined
          ? after && { $or: [{ e: after.emoji, seq: { $gt: after.seq } }, { e: { $gt: after.emoji } }] }
          : { e: emoji, ...(after ? { seq: { $gt: after.seq } } : {}) };
      const found = await reactions
        .find({ ...shown, ...which }, { ...read, limit })
        .sort({ e: 1, seq: 1 })
        .toArray();
      return found.map(({ u, e, at, seq: since }) => ({
        userId: readUuid(u),
        emoji: e,
        at: at.getTime(),
        seq: since,
      }));
    },
    async pins(conversationId, { from, before }, limit) {
      const place = { '_id.s': { $gte: from, $lt: before } };
      const found = await entries
        .find({ c: storeUuid(conversationId), 'body.pinned': true, ...place }, { ...read, limit })
        .sort({ '_id.s': -1 })
        .toArray();
      return found.map(fromDocument);
    },
    async thread({ conversationId, seq }, after, limit) {
      const found = await entries
        .find({ c: storeUuid(conversationId), threadRoot: seq, '_id.s': { $gt: after } }, { ...read, limit })
        .sort({ '_id.s': 1 })
        .toArray();
      return found.map(fromDocument);
    },
    async pointers({ conversationId, seq }, { butUserId, after }, limit) {
      const u = { $ne: storeUuid(butUserId), ...(after === null ? {} : { $gt: storeUuid(after) }) };
      const found = await members
        .find({ c: storeUuid(conversationId), leftSeq: null, joinedSeq: { $lte: seq }, u }, { ...read, limit })
        .sort({ u: 1 })
        .toArray();
      const steps = await trails.find({ _id: { $in: found.map(({ _id }) => _id) } }, read).toArray();
      const trailOf = new Map(steps.map((trail) => [readUuid(trail._id.u), trail]));
      return found.map((member) => toPointers(member, trailOf.get(readUuid(member.u))));
    },
  };
}

function toPointers(member: MemberDocument, trail: TrailDocument | undefined): PointersOfMember {
  const stepsOf = (steps: { s: number; at: Date }[] = []) => steps.map(({ s, at }) => ({ s, at: at.getTime() }));
  return {
    userId: readUuid(member.u),
    readSeq: member.readSeq ?? 0,
    deliveredSeq: member.deliveredSeq ?? 0,
    readAt: member.readAt?.getTime(),
    deliveredAt: member.deliveredAt?.getTime(),
    trail: trail && { read: stepsOf(trail.read), delivered: stepsOf(trail.delivered) },
  };
}
