import type { MessageBody } from '../log/entry.ts';
import type { Membership } from './read-store.ts';

/**
 * Whether a member wants to be notified of a message: not while it is muted for them, not when they want to hear of
 * nothing, and when they want to hear of mentions, only of what calls them.
 */
export function wantsToHear({ userId, preferences }: Membership, message: MessageBody, now: number): boolean {
  const { mutedUntil, notify } = preferences;
  if (mutedUntil !== null && mutedUntil > now) return false;
  if (notify === 'mentions') return message.mentionsAll === true || (message.mentions ?? []).includes(userId);
  return notify === 'all';
}
