import type { Clock } from '@bluewave/runtime/clock';
import { LRUCache } from 'lru-cache';
import type { Membership, ReadStore, Unread } from './read-store.ts';

/** From so many messages on, counting takes longer than all else that an answer needs. */
const large = 1_000;
/** A deletion is in the log a moment before its message shows it: a count from in between is used no longer than this. */
const freshMs = 2_000;
const remembered = 10_000;

/**
 * Reads that count the same many unread messages once: a device that was away asks for one page after the other, and
 * each answer says how much is unread. A count holds for a member's pointers and an end of the log.
 */
export function rememberLargeCounts(store: ReadStore, clock: Clock): ReadStore {
  const counts = new LRUCache<string, { unread: Unread; at: number }>({ max: remembered });
  const keyOf = ({ conversationId, userId, readSeq, joinedSeq }: Membership, heads: ReadonlyMap<string, number>) =>
    `${conversationId}/${userId}/${readSeq}/${joinedSeq}/${heads.get(conversationId)}`;
  return {
    ...store,
    async unread(memberships, heads) {
      const now = clock();
      const known = new Map<string, Unread>();
      for (const me of memberships) {
        const count = counts.get(keyOf(me, heads));
        if (count && now - count.at < freshMs) known.set(me.conversationId, count.unread);
      }
      const others = memberships.filter(({ conversationId }) => !known.has(conversationId));
      if (others.length === 0) return known;
      const read = await store.unread(others, heads);
      for (const me of others) {
        const unread = read.get(me.conversationId);
        if (unread && unread.count >= large) counts.set(keyOf(me, heads), { unread, at: now });
      }
      return new Map([...known, ...read]);
    },
  };
}
