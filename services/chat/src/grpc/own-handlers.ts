import { AppError } from '@bluewave/errors/app-error';
import type { ChatServiceDefinition } from '@bluewave/protos/generated/bluewave/chat/v1/ChatService';
import type { Message } from '@bluewave/protos/generated/bluewave/chat/v1/Message';
import type { Handlers } from '@bluewave/rpc/service-definition';
import type { LogEntry } from '../log/entry.ts';
import { unreadOf } from '../reading/conversation-views.ts';
import { hydrate } from '../reading/hydrate.ts';
import type { ReadStore } from '../reading/read-store.ts';
import { listStarred } from '../stars/list-starred.ts';
import type { ChatDeps } from './chat-deps.ts';
import { checkIds, pageLimit } from './check-request.ts';
import { presentMessages, statusFor } from './present-view.ts';
import { readMessage } from './read-message.ts';

type OwnMethods = 'StarMessage' | 'ListStarred' | 'GetUnread' | 'ReportMessage';

/** What concerns one user alone. */
export function ownHandlers(deps: ChatDeps): Pick<Handlers<ChatServiceDefinition>, OwnMethods> {
  const { reads, stars, clock } = deps;
  return {
    async StarMessage({ on, ...address }) {
      const { body } = await readMessage(reads, address);
      if (on && body.deletedAt !== null) throw new AppError('MESSAGE_DELETED', 'A deleted message is not starred.');
      const changed = await stars.put(address.actorId, address, on, clock());
      if (changed) deps.tell.starred(address.actorId, address, on);
      return { changed };
    },
    async ListStarred({ actorId, limit, cursor }) {
      checkIds(actorId);
      const { messages, nextCursor } = await listStarred(deps, actorId, pageLimit(limit), cursor);
      return { messages: await showFromAnywhere(reads, actorId, messages), nextCursor };
    },
    async GetUnread({ actorId }) {
      checkIds(actorId);
      return unreadOf(reads, actorId);
    },
    async ReportMessage({ reason, note, ...address }, { traceId }) {
      await readMessage(reads, address);
      const { conversationId, seq, actorId: reporterId } = address;
      const report = { conversationId, seq, reporterId, reason, note, at: clock() };
      if (await deps.reports.put(report)) deps.tell.reported(report);
      // For whoever audits; what the message says stays out of it.
      deps.log.info(
        { audit: 'message.reported', conversationId, seq, reporterId, reason, traceId },
        'message reported',
      );
      return {};
    },
  };
}

/** Messages of any conversations as their reader sees them. */
async function showFromAnywhere(reads: ReadStore, readerId: string, entries: LogEntry[]): Promise<Message[]> {
  const own = entries.filter(({ senderId }) => senderId === readerId);
  const ids = [...new Set(own.map(({ conversationId }) => conversationId))];
  const [hydrated, least] = await Promise.all([
    hydrate(reads, entries, readerId),
    Promise.all(ids.map(async (id) => [id, await reads.leastPointers(id, readerId)] as const)),
  ]);
  const pointers = new Map(least);
  return presentMessages(entries, hydrated, (entry) =>
    statusFor(readerId, pointers.get(entry.conversationId) ?? null)(entry),
  );
}
