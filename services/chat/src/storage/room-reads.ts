import { committed, operationMs } from '@bluewave/mongo/connect';
import { type ReadPlace, relaxed } from '@bluewave/mongo/relaxed-reads';
import { readUuid, storeUuid } from '@bluewave/mongo/uuid';
import type { ReadStore } from '../reading/read-store.ts';
import type { ChatCollections, MemberDocument } from './collections.ts';
import { fromConversation } from './presented-documents.ts';

const read = { ...committed, maxTimeMS: operationMs } as const;

type RoomReads = Pick<ReadStore, 'room' | 'rooms' | 'keptOutOf' | 'bans' | 'leftAt'>;

/**
 * Rooms as everybody may find them, and who is kept out of conversations. Only the list of rooms is read from
 * `relaxedReads`: joining one, and who is banned, goes by the record as it is.
 */
export function roomReads({ conversations, members }: ChatCollections, relaxedReads: ReadPlace): RoomReads {
  const listing = { ...read, ...relaxed(relaxedReads) };
  const inForce = (now: number) => ({
    ban: { $exists: true },
    $or: [{ 'ban.until': null }, { 'ban.until': { $gt: new Date(now) } }],
  });
  return {
    async room(conversationId) {
      const _id = storeUuid(conversationId);
      const found = await conversations.findOne({ _id, type: 'room', deletedAt: { $exists: false } }, read);
      return found ? fromConversation(found) : null;
    },
    async rooms(query, after, limit) {
      const words = query.longWords.map((word) => ({
        'listing.words': { $elemMatch: { $gte: word, $lt: `${word}\uffff` } },
      }));
      const filter = {
        'listing.place': { $gt: after },
        ...(query.keys.length > 0 ? { 'listing.keys': { $all: query.keys } } : {}),
        ...(words.length > 0 ? { $and: words } : {}),
      };
      const found = await conversations
        .find(filter, { ...listing, limit })
        .sort({ 'listing.place': 1 })
        .toArray();
      return found.map((document) => ({ shared: fromConversation(document), place: document.listing?.place ?? '' }));
    },
    async keptOutOf(userId, conversationIds, now) {
      const u = storeUuid(userId);
      const ids = conversationIds.map((id) => ({ c: storeUuid(id), u }));
      const found = await members
        .find({ _id: { $in: ids }, ...inForce(now) }, { ...read, projection: { c: 1 } })
        .toArray();
      return new Set(found.map(({ c }) => readUuid(c)));
    },
    async bans(conversationId, afterUserId, limit, now) {
      const after = afterUserId === null ? {} : { u: { $gt: storeUuid(afterUserId) } };
      const found = await members
        .find({ c: storeUuid(conversationId), ...inForce(now), ...after }, { ...read, limit })
        .sort({ u: 1 })
        .toArray();
      return found.flatMap(banOf);
    },
    async leftAt(conversationId, seq) {
      const found = await members
        .find({ c: storeUuid(conversationId), leftSeq: seq }, { ...read, projection: { u: 1 } })
        .toArray();
      return found.map(({ u }) => readUuid(u));
    },
  };
}

function banOf({ u, ban }: MemberDocument) {
  return ban ? [{ userId: readUuid(u), reason: ban.reason, until: ban.until?.getTime() ?? null }] : [];
}
