import { notFound } from '@bluewave/errors/app-error';
import type { ChatServiceDefinition } from '@bluewave/protos/generated/bluewave/chat/v1/ChatService';
import type { Message } from '@bluewave/protos/generated/bluewave/chat/v1/Message';
import type { Handlers } from '@bluewave/rpc/service-definition';
import type { LogEntry } from '../log/entry.ts';
import { deleteMessage, editMessage } from '../messages/change-message.ts';
import { requireMembership } from '../reading/conversation-views.ts';
import { receiptsOf } from '../reading/receipts.ts';
import { textsOf } from '../reading/texts.ts';
import { appendProjected } from './append-projected.ts';
import type { ChatDeps } from './chat-deps.ts';
import { checkIds, pageLimit, positionOf } from './check-request.ts';
import { readEntry, readMessage } from './read-message.ts';
import { showMessages } from './show-messages.ts';

type MessageMethods = 'GetMessage' | 'EditMessage' | 'DeleteMessage' | 'ListTexts' | 'ListThread' | 'ListReceipts';

export function messageHandlers(deps: ChatDeps): Pick<Handlers<ChatServiceDefinition>, MessageMethods> {
  const { reads } = deps;
  const show = async (entry: LogEntry, actorId: string): Promise<Message> => {
    const [message] = await showMessages(reads, entry.conversationId, actorId, [entry]);
    if (!message) throw notFound();
    return message;
  };
  return {
    async GetMessage(address) {
      return show(await readEntry(reads, address), address.actorId);
    },
    async EditMessage({ mentions: asked, ...request }, call) {
      const message = await readMessage(reads, request);
      const window = { now: deps.clock(), ms: deps.editWindowMs };
      if (asked) checkIds(...asked.userIds);
      const target = { ...request, ...(asked ? { mentions: asked } : {}) };
      await appendProjected(deps, editMessage(target, message, call, window));
      return show(await readMessage(reads, request), request.actorId);
    },
    async DeleteMessage(address, call) {
      const append = deleteMessage(address, await readMessage(reads, address), call);
      if (!append) return { seq: 0 };
      const { entry } = await appendProjected(deps, append);
      return { seq: entry?.seq ?? 0 };
    },
    async ListTexts(address) {
      const texts = await textsOf(reads, await readMessage(reads, address));
      return { texts: texts.map(({ text, at }) => ({ text, atMs: at })) };
    },
    async ListReceipts({ limit, cursor, ...address }) {
      if (cursor) checkIds(cursor);
      const message = await readMessage(reads, address);
      const size = pageLimit(limit);
      const found = await receiptsOf(deps, address.actorId, message, cursor || null, size + 1);
      const page = found.slice(0, size);
      return {
        receipts: page.map(({ userId, deliveredAt = 0, readAt = 0 }) => ({
          ...{ userId, deliveredAtMs: deliveredAt, readAtMs: readAt },
        })),
        nextCursor: found.length > size ? (page.at(-1)?.userId ?? '') : '',
      };
    },
    async ListThread({ limit, cursor, ...root }) {
      await readMessage(reads, root);
      const size = pageLimit(limit);
      const found = await deps.messageReads.thread(root, positionOf(cursor) ?? root.seq, size + 1);
      const page = found.slice(0, size);
      const messages = await showMessages(reads, root.conversationId, root.actorId, page);
      await requireMembership(reads, root.conversationId, root.actorId);
      return { messages, nextCursor: found.length > size ? String(page.at(-1)?.seq) : '' };
    },
  };
}
