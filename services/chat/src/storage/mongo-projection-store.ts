import type { ProjectionStore } from '../log/projections.ts';
import type { ChatCollections } from './collections.ts';
import { createMessageCounts } from './message-counts.ts';
import { projectMembers } from './project-members.ts';
import { projectDeletion, projectEdit, projectPin } from './project-messages.ts';
import { recordForward, recordReaction } from './project-counted.ts';

export function createMongoProjectionStore(collections: ChatCollections): ProjectionStore {
  const counts = createMessageCounts(collections);
  return {
    projectMembers: (conversationId) => projectMembers(collections, conversationId),
    projectEdit: (entry) => projectEdit(collections, entry),
    projectPin: (entry) => projectPin(collections, entry),
    async projectDeletion(entry) {
      const { conversationId, body } = entry;
      const threadRoot = await projectDeletion(collections, entry);
      await counts.recount(conversationId, body.target);
      if (threadRoot !== undefined) await counts.recount(conversationId, threadRoot);
    },
    async projectReaction(entry) {
      await recordReaction(collections, entry);
      await counts.recount(entry.conversationId, entry.body.target);
    },
    async projectMessage(entry) {
      const { threadRoot, forwarded } = entry.body;
      if (forwarded) await recordForward(collections, entry, forwarded);
      if (threadRoot !== undefined) await counts.recount(entry.conversationId, threadRoot);
      if (forwarded) await counts.recount(forwarded.conversationId, forwarded.seq);
    },
  };
}
