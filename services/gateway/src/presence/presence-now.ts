import type { Presence, PresenceStore } from '@bluewave/presence/presence-store';
import type { Logger } from '@bluewave/runtime/logger';

/** Presence of users in the order asked for. While Redis is away it is unknown, which reads as offline. */
export async function presenceNow(
  store: Pick<PresenceStore, 'statusOf'>,
  userIds: readonly string[],
  log: Logger,
): Promise<Presence[]> {
  if (userIds.length === 0) return [];
  try {
    return await store.statusOf(userIds);
  } catch (error) {
    log.debug({ err: error }, 'presence cannot be read');
    return userIds.map((userId) => ({ userId, status: 'offline', lastSeenAt: null }));
  }
}
