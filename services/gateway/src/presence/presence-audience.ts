import type { Presence } from '@bluewave/presence/presence-store';
import type { Logger } from '@bluewave/runtime/logger';
import type { ConversationLog } from '../feed/conversation-log.ts';
import { limited } from '../feed/limited.ts';
import type { LocalMemberships } from '../feed/local-memberships.ts';

export type PresenceAudienceOptions = {
  /** Tells members of these conversations and the user's watchers, on every gateway. */
  emit(presence: Presence, conversationIds: readonly string[]): void;
  memberships: LocalMemberships;
  chat: Pick<ConversationLog, 'membershipsOf'>;
  log: Logger;
};

/** Conversations with more members than this do not hear of each coming and going: their rosters are asked for. */
const maxMembers = 100;
/** Conversations of one user that hear of it. */
const maxConversations = 300;
const readsAtOnce = 8;

/**
 * Tells those who may know of a user's presence, on every gateway: members of the user's small conversations, and who
 * watches. Reads the memberships of users who have no socket here, those whom a dead gateway left behind.
 */
export function createPresenceAudience(options: PresenceAudienceOptions): (presence: Presence) => Promise<void> {
  const { emit, memberships, chat, log } = options;
  const limit = limited(readsAtOnce);
  const conversationsOf = async (userId: string): Promise<string[]> => {
    const local = memberships.find(userId);
    if (local) return memberships.roomsOf(local).filter((id) => memberships.memberCountOf(id) <= maxMembers);
    const heads = await limit(() => chat.membershipsOf(userId));
    return heads.filter(({ memberCount = 0 }) => memberCount <= maxMembers).map(({ conversationId }) => conversationId);
  };
  return async (presence) => {
    const { userId } = presence;
    let conversations: string[] = [];
    try {
      conversations = await conversationsOf(userId);
    } catch (error) {
      log.debug({ err: error }, 'only watchers are told of a presence: memberships cannot be read');
    }
    emit(presence, conversations.slice(0, maxConversations));
  };
}
