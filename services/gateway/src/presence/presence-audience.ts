import type { Presence } from '@bluewave/presence/presence-store';
import type { Logger } from '@bluewave/runtime/logger';
import type { ConversationLog } from '../feed/conversation-log.ts';
import { limited } from '../feed/limited.ts';
import type { LocalMemberships } from '../feed/local-memberships.ts';

export type PresenceAudienceOptions = {
  /** Tells members of these conversations and the user's watchers, on every gateway, but those it is hidden from. */
  emit(presence: Presence, conversationIds: readonly string[], hiddenFrom: readonly string[]): void;
  memberships: LocalMemberships;
  chat: Pick<ConversationLog, 'membershipsOf'>;
  log: Logger;
};

/** Whom the user has blocked, that is whom it is hidden from, watches no more: that was seen to with the block. */
type Audience = { conversationIds: readonly string[]; hiddenFrom: readonly string[] };

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
  const audienceOf = async (userId: string): Promise<Audience> => {
    const local = memberships.find(userId);
    if (local) {
      const conversationIds = memberships.roomsOf(local).filter((id) => memberships.memberCountOf(id) <= maxMembers);
      return { conversationIds, hiddenFrom: [...local.blocked] };
    }
    const { conversations, blockedUserIds } = await limit(() => chat.membershipsOf(userId));
    const small = conversations.filter(({ memberCount = 0 }) => memberCount <= maxMembers);
    return { conversationIds: small.map(({ conversationId }) => conversationId), hiddenFrom: blockedUserIds };
  };
  return async (presence) => {
    const { userId } = presence;
    let audience: Audience = { conversationIds: [], hiddenFrom: [] };
    try {
      audience = await audienceOf(userId);
    } catch (error) {
      log.debug({ err: error }, 'only watchers are told of a presence: memberships cannot be read');
    }
    emit(presence, audience.conversationIds.slice(0, maxConversations), audience.hiddenFrom);
  };
}
