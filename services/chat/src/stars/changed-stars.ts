import { sinceOf } from '../reading/sync.ts';
import type { Star, StarStore } from './star-store.ts';

/** More than these are not told one by one. */
const mostTold = 200;

/**
 * What a device that was away missed of the user's stars since its token. Null when that is too much: then the device
 * lists them anew. Without a token there is nothing to tell, since every message says whether it is starred.
 */
export async function changedStars(stars: StarStore, userId: string, token: string): Promise<Star[] | null> {
  const since = sinceOf(token);
  if (since === null) return [];
  const changed = await stars.changedSince(userId, since, mostTold + 1);
  return changed.length > mostTold ? null : changed;
}
