import type { ChatServiceDefinition } from '@bluewave/protos/generated/bluewave/chat/v1/ChatService';
import type { Message } from '@bluewave/protos/generated/bluewave/chat/v1/Message';
import type { Handlers } from '@bluewave/rpc/service-definition';
import { notFound } from '@bluewave/errors/app-error';
import type { LogEntry } from '../log/entry.ts';
import { deleteMessage, editMessage, requireMessage } from '../messages/change-message.ts';
import { requireMembership } from '../reading/conversation-views.ts';
import type { ReadStore } from '../reading/read-store.ts';
import { appendProjected } from './append-projected.ts';
import type { ChatDeps } from './chat-deps.ts';
import { checkIds } from './check-request.ts';
import { showMessages } from './show-messages.ts';

type MessageMethods = 'GetMessage' | 'EditMessage' | 'DeleteMessage';
type Address = { actorId: string; conversationId: string; seq: number };

/**
 * An entry at an address as a member may read it.
 * @throws NOT_FOUND for non-members, for what is before the member's time and for what is not there, alike.
 */
export async function readEntry(reads: ReadStore, { actorId, conversationId, seq }: Address): Promise<LogEntry> {
  checkIds(actorId, conversationId);
  const entry = await reads.entry(conversationId, seq);
  const { firstSeq } = await requireMembership(reads, conversationId, actorId);
  if (!entry || seq < firstSeq) throw notFound();
  return entry;
}

export function messageHandlers(deps: ChatDeps): Pick<Handlers<ChatServiceDefinition>, MessageMethods> {
  const readMessage = async (address: Address) => requireMessage(await readEntry(deps.reads, address));
  const show = async (entry: LogEntry, actorId: string): Promise<Message> => {
    const [message] = await showMessages(deps.reads, entry.conversationId, actorId, [entry]);
    if (!message) throw notFound();
    return message;
  };
  return {
    async GetMessage(address) {
      return show(await readEntry(deps.reads, address), address.actorId);
    },
    async EditMessage(request, call) {
      const message = await readMessage(request);
      const window = { now: deps.clock(), ms: deps.editWindowMs };
      await appendProjected(deps, editMessage(request, message, call, window));
      return show(await readMessage(request), request.actorId);
    },
    async DeleteMessage(address, call) {
      const append = deleteMessage(address, await readMessage(address), call);
      if (!append) return { seq: 0 };
      const { entry } = await appendProjected(deps, append);
      return { seq: entry?.seq ?? 0 };
    },
  };
}
