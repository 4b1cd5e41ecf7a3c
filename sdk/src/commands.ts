import type { Commands } from './client.ts';
import type { Conversation } from './contract.ts';
import type { Parts } from './parts.ts';

type Deps = Pick<Parts, 'api' | 'sync' | 'conversations'>;

/** What a client asks of the platform beside messages: each call is one operation of the contract. */
export function createCommands(deps: Deps): Commands {
  return { ...conversationCommands(deps), ...memberCommands(deps), ...peopleCommands(deps) };
}

type ConversationCommands = Pick<
  Commands,
  'openDirect' | 'createGroup' | 'createRoom' | 'discoverRooms' | 'joinRoom' | 'updateConversation' | 'setPreferences'
>;

function conversationCommands({ api, sync, conversations }: Deps): ConversationCommands {
  const added = (conversation: Conversation): Conversation => {
    sync.handle({ type: 'added', conversation });
    return conversation;
  };
  const changed = (conversation: Conversation): Conversation => {
    conversations.takeView(conversation);
    return conversation;
  };
  return {
    openDirect: async (userId) => added(await api('conversationsCreate', { body: { type: 'direct', userId } })),
    createGroup: async (group) => added(await api('conversationsCreate', { body: { type: 'group', ...group } })),
    createRoom: async (room) => added(await api('conversationsCreate', { body: { type: 'room', ...room } })),
    discoverRooms: (query = {}) => api('conversationsDiscover', { query }),
    joinRoom: async (id) => added(await api('conversationsJoin', { params: { id } })),
    updateConversation: async (id, body) => changed(await api('conversationsUpdate', { params: { id }, body })),
    setPreferences: async (id, body) => changed(await api('conversationsMe', { params: { id }, body })),
  };
}

type MemberCommands = Pick<Commands, 'addMembers' | 'removeMember' | 'leave' | 'deleteConversation'>;

function memberCommands({ api, sync }: Deps): MemberCommands {
  return {
    addMembers: (id, userIds) => api('membersAdd', { params: { id }, body: { userIds } }),
    async removeMember(id, userId) {
      await api('membersRemove', { params: { id, userId } });
    },
    async leave(conversationId) {
      await api('conversationsLeave', { params: { id: conversationId } });
      sync.handle({ type: 'removed', conversationId });
    },
    async deleteConversation(conversationId) {
      await api('conversationsDelete', { params: { id: conversationId } });
      sync.handle({ type: 'removed', conversationId });
    },
  };
}

type PeopleCommands = Pick<
  Commands,
  'searchUsers' | 'starred' | 'contacts' | 'putContact' | 'removeContact' | 'blocks' | 'block' | 'unblock'
>;

function peopleCommands({ api }: Deps): PeopleCommands {
  return {
    async searchUsers(text, { limit, signal } = {}) {
      const query = { q: text, ...(limit === undefined ? {} : { limit }) };
      return (await api('usersSearch', { query }, signal ? { signal } : {})).items;
    },
    starred: (query = {}) => api('starsList', { query }),
    contacts: (query = {}) => api('contactsList', { query }),
    async putContact(userId, contact = {}) {
      await api('contactsPut', { params: { userId }, body: contact });
    },
    async removeContact(userId) {
      await api('contactsDelete', { params: { userId } });
    },
    blocks: (query = {}) => api('blocksList', { query }),
    async block(userId) {
      await api('blocksPut', { params: { userId } });
    },
    async unblock(userId) {
      await api('blocksDelete', { params: { userId } });
    },
  };
}
