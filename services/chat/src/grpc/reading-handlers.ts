import type { ChatServiceDefinition } from '@bluewave/protos/generated/bluewave/chat/v1/ChatService';
import type { Handlers } from '@bluewave/rpc/service-definition';
import { listMessages } from '../reading/history.ts';
import { requireMembership } from '../reading/conversation-views.ts';
import { readLogPage } from '../reading/log-pages.ts';
import { sync } from '../reading/sync.ts';
import { wantsToHear } from '../reading/who-is-notified.ts';
import { changedStars } from '../stars/changed-stars.ts';
import type { ChatDeps } from './chat-deps.ts';
import { checkIds, pageLimit } from './check-request.ts';
import { presentEntries, presentView, statusFor } from './present-view.ts';
import { showMessages } from './show-messages.ts';

type ReadingMethods =
  'ListMessages' | 'ListEntries' | 'Sync' | 'GetHeads' | 'GetRecipients' | 'CanOpenUpload' | 'FilterAcquainted';

export function readingHandlers(deps: ChatDeps): Pick<Handlers<ChatServiceDefinition>, ReadingMethods> {
  const { reads } = deps;
  return {
    async ListMessages({ actorId, conversationId, before, after, around, limit }) {
      checkIds(actorId, conversationId);
      const position = {
        ...(before === undefined ? {} : { before }),
        ...(after === undefined ? {} : { after }),
        ...(around === undefined ? {} : { around }),
      };
      const page = await listMessages(reads, conversationId, actorId, position, pageLimit(limit));
      const messages = await showMessages(reads, conversationId, actorId, page.messages);
      return { messages, hasBefore: page.hasBefore, hasAfter: page.hasAfter };
    },
    async ListEntries({ actorId, conversationId, after, limit }) {
      checkIds(conversationId, ...(actorId ? [actorId] : []));
      const reader = actorId || undefined;
      const me = reader === undefined ? null : await requireMembership(reads, conversationId, reader);
      const from = Math.max(after, (me?.firstSeq ?? 1) - 1);
      const page = await readLogPage(reads, conversationId, reader, from, pageLimit(limit));
      const [head] = await reads.heads([conversationId]);
      const least = reader === undefined ? null : await reads.leastPointers(conversationId, reader);
      if (reader !== undefined) await requireMembership(reads, conversationId, reader);
      const entries = presentEntries(page.entries, page.hydrated, statusFor(actorId, least));
      return { entries, hasMore: page.hasMore, head: head?.seq ?? 0 };
    },
    async Sync({ actorId, cursors, token, limit }) {
      checkIds(actorId, ...Object.keys(cursors));
      const request = { userId: actorId, cursors, token, limit: limit <= 0 ? 200 : Math.min(limit, 200) };
      const [result, changed] = await Promise.all([
        sync(reads, request, deps.clock()),
        changedStars(deps.stars, actorId, token),
      ]);
      return {
        conversations: result.conversations.map(({ view, ...page }) => ({
          conversation: presentView(view),
          entries: presentEntries(page.entries, page.hydrated),
          hasMore: page.hasMore,
        })),
        removed: result.removed,
        token: result.token,
        starred: (changed ?? []).map(({ conversationId, seq, on }) => ({ conversationId, seq, on })),
        starsReset: changed === null,
      };
    },
    async GetHeads({ conversationIds, withTypes }) {
      checkIds(...conversationIds);
      const ids = conversationIds.slice(0, 1_000);
      const [heads, shared] = await Promise.all([reads.heads(ids), withTypes ? reads.shared(ids) : undefined]);
      return {
        heads: heads.map(({ conversationId, seq }) => {
          const type = shared?.get(conversationId)?.type;
          return { conversationId, head: seq, ...(type ? { type } : {}) };
        }),
      };
    },
    async GetRecipients({ conversationId, seq }) {
      checkIds(conversationId);
      const [entry, shared] = await Promise.all([reads.entry(conversationId, seq), reads.shared([conversationId])]);
      const info = shared.get(conversationId);
      const message = entry?.body.type === 'message:new' && entry.body.deletedAt === null ? entry.body : null;
      const members = entry && message ? await reads.recipients(conversationId, seq, entry.senderId) : [];
      const now = deps.clock();
      return {
        recipients: members
          .filter((member) => message && wantsToHear(member, message, now))
          .map(({ userId, readSeq, deliveredSeq }) => ({ userId, readSeq, deliveredSeq })),
        conversationName: info?.name ?? '',
        conversationType: info?.type ?? '',
        gone: !message,
      };
    },
    async CanOpenUpload({ actorId, uploadId }) {
      checkIds(actorId, uploadId);
      return { allowed: await reads.showsUpload(actorId, uploadId) };
    },
    async FilterAcquainted({ actorId, userIds }) {
      checkIds(actorId, ...userIds);
      const known = await reads.acquainted(actorId, userIds.slice(0, 500));
      const blocks = await deps.people.inForce(known.map((blocker) => ({ blocker, blocked: actorId })));
      const blockers = new Set(blocks.map(({ blocker }) => blocker));
      return { userIds: known.filter((userId) => !blockers.has(userId)) };
    },
  };
}
