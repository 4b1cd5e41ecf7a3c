import type { Conversation } from '@bluewave/api/objects';
import { toAppError } from '@bluewave/errors/app-error';
import type { Logger } from '@bluewave/runtime/logger';
import type { ConversationFeed } from './conversation-feed.ts';
import type { LogEntry } from './conversation-log.ts';
import type { LocalRooms, LocalUser, PreparedEntry } from './local-user.ts';
import type { Membership } from './membership.ts';
import type { Timers } from './timers.ts';

export type JoinLiveOptions = {
  user: LocalUser;
  conversationId: string;
  membership: Membership;
  feed: Pick<ConversationFeed<LogEntry, PreparedEntry>, 'delivered'>;
  rooms: LocalRooms;
  timers: Timers;
  log: Logger;
  loadConversation(user: LocalUser, conversationId: string): Promise<Conversation>;
  entriesAfter(conversationId: string, seq: number): Promise<{ entries: LogEntry[] }>;
  prepare(entry: LogEntry): PreparedEntry | Promise<PreparedEntry>;
};

const firstPauseMs = 100;
const lastPauseMs = 2_000;

/**
 * Lets a connected user into a conversation whose feed runs: tells them of it, brings them the entries that the feed
 * is past, and puts them into the room at the very entry where those end, so that nothing is missing or comes before
 * the conversation itself. Tries again for as long as the membership stands.
 *
 * @returns true when they are in the room; false when the membership ended before.
 */
export async function joinLive(options: JoinLiveOptions): Promise<boolean> {
  const { user, conversationId, membership, timers, log } = options;
  let told = membership.after;
  for (let attempt = 0; isWanted(membership); attempt += 1) {
    try {
      if (!membership.announced) await announce(options);
      told = await bringEntries(options, told);
      if (!isWanted(membership) || told === theirEnd) return false;
      if (told < options.feed.delivered) continue;
      membership.state = 'joined';
      options.rooms.join(user.id, conversationId);
      return true;
    } catch (thrown) {
      const error = toAppError(thrown);
      // They were removed again, or the conversation is gone.
      if (error.code === 'NOT_FOUND') return false;
      log.warn({ err: error, conversationId }, 'a user could not be let into a conversation; trying again');
      await new Promise<void>((resolve) => {
        timers.after(Math.min(lastPauseMs, firstPauseMs * 2 ** Math.min(attempt, 6)), resolve);
      });
    }
  }
  return false;
}

async function announce({ user, conversationId, membership, rooms, loadConversation }: JoinLiveOptions): Promise<void> {
  const conversation = await loadConversation(user, conversationId);
  if (!isWanted(membership)) return;
  rooms.conversationAdded(user.id, conversation);
  membership.announced = true;
}

/** In place of a seq: what was brought ended with their removal, which may not be in what else is read by now. */
const theirEnd = Infinity;

/** Brings what lies between `told` and where the feed is now. @returns the last seq that was brought, or `theirEnd`. */
async function bringEntries(options: JoinLiveOptions, told: number): Promise<number> {
  const { user, conversationId, membership, feed, rooms, entriesAfter, prepare } = options;
  if (isWanted(membership) && membership.first?.seq === told + 1) {
    rooms.entryToUser(user.id, membership.first);
    told += 1;
  }
  while (isWanted(membership) && told < feed.delivered) {
    const { entries } = await entriesAfter(conversationId, told);
    if (entries.length === 0) throw new Error('the log does not have what was delivered');
    for (const entry of entries) {
      const prepared = await prepare(entry);
      // What the feed has not come to yet reaches them through the room.
      if (!isWanted(membership) || entry.seq > feed.delivered) return told;
      if (prepared) rooms.entryToUser(user.id, prepared);
      if (entry.memberRemoved?.userId === user.id) return theirEnd;
      told = entry.seq;
    }
  }
  return told;
}

/** Asked after every wait: the membership may have ended meanwhile. */
function isWanted(membership: Membership): boolean {
  return membership.state !== 'left';
}
