import type { ChatServiceDefinition } from '@bluewave/protos/generated/bluewave/chat/v1/ChatService';
import type { Message } from '@bluewave/protos/generated/bluewave/chat/v1/Message';
import type { Handlers } from '@bluewave/rpc/service-definition';
import { presentMessage } from '../events/present-entry.ts';
import type { LogEntry } from '../log/entry.ts';
import { deleteMessage, editMessage, requireMessage } from '../messages/change-message.ts';
import { requireMembership } from '../reading/conversation-views.ts';
import { appendProjected } from './append-projected.ts';
import type { ChatDeps } from './chat-deps.ts';
import { checkIds } from './check-request.ts';
import { statusOf } from './present-view.ts';

type MessageMethods = 'GetMessage' | 'EditMessage' | 'DeleteMessage';
type Address = { actorId: string; conversationId: string; seq: number };

export function messageHandlers(deps: ChatDeps): Pick<Handlers<ChatServiceDefinition>, MessageMethods> {
  const readMessage = async ({ actorId, conversationId, seq }: Address) => {
    checkIds(actorId, conversationId);
    const entry = await deps.reads.entry(conversationId, seq);
    await requireMembership(deps.reads, conversationId, actorId);
    return requireMessage(entry);
  };
  const present = async (entry: LogEntry, actorId: string): Promise<Message> => {
    const own = entry.senderId === actorId;
    const least = own ? await deps.reads.leastPointers(entry.conversationId, actorId) : null;
    return presentMessage(requireMessage(entry), statusOf(entry, actorId, least));
  };
  return {
    async GetMessage(address) {
      return present(await readMessage(address), address.actorId);
    },
    async EditMessage(request, call) {
      const message = await readMessage(request);
      const window = { now: deps.clock(), ms: deps.editWindowMs };
      await appendProjected(deps, editMessage(request, message, call, window));
      return present(await readMessage(request), request.actorId);
    },
    async DeleteMessage(address, call) {
      const append = deleteMessage(address, await readMessage(address), call);
      if (!append) return { seq: 0 };
      const { entry } = await appendProjected(deps, append);
      return { seq: entry?.seq ?? 0 };
    },
  };
}
