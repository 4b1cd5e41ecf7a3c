import { skewMs } from '../log/clock-skew.ts';
import type { Head, ReadStore } from './read-store.ts';

/**
 * The conversations of a user, each with a seq as of which they are its member: the head, or what is before an entry
 * that is not projected yet. Whoever follows the log from there comes by the end of a membership; from a later place
 * they would never hear of it.
 */
export async function ownHeads(
  store: Pick<ReadStore, 'doneUpTo' | 'headsOf' | 'firstUnprojected' | 'memberOf'>,
  userId: string,
): Promise<Pick<Head, 'conversationId' | 'seq'>[]> {
  // Before the memberships are read: what was done by then is in them.
  const done = await store.doneUpTo();
  const heads = await store.headsOf(userId);
  const moving = heads.filter(({ at }) => at >= done - skewMs).map(({ conversationId }) => conversationId);
  if (moving.length === 0) return heads;
  const first = await store.firstUnprojected(moving);
  // Again, since what was projected meanwhile counts as projected.
  const stillIn = await store.memberOf(userId, moving);
  const left = new Set(moving.filter((id) => !stillIn.has(id)));
  return heads
    .filter(({ conversationId }) => !left.has(conversationId))
    .map(({ conversationId, seq }) => ({
      conversationId,
      seq: Math.min(seq, (first.get(conversationId) ?? Infinity) - 1),
    }));
}
