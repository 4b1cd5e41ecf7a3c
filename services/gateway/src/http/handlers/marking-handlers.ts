import { parseMessageId } from '@bluewave/api/fields';
import type { CallContext } from '@bluewave/rpc/service-definition';
import type { Identity } from '../../identity/identity.ts';
import type { HandlersOf, HttpDeps } from '../handler.ts';

type MarkingRoute = 'reactions.put' | 'reactions.delete' | 'pins.put' | 'pins.delete';

/** What people put on messages. */
export function markingHandlers({ clients, operations }: HttpDeps): HandlersOf<MarkingRoute> {
  const pin = async (caller: Identity, messageId: string, on: boolean, context: CallContext): Promise<void> => {
    const address = parseMessageId(messageId);
    await clients.chat.for(address.conversationId).PinMessage({ actorId: caller.userId, ...address, on }, context);
  };
  return {
    async 'reactions.put'({ params, caller, context }) {
      await operations.react(caller, { messageId: params.id, emoji: params.emoji, on: true }, context);
      return { status: 204, body: undefined };
    },
    async 'reactions.delete'({ params, caller, context }) {
      await operations.react(caller, { messageId: params.id, emoji: params.emoji, on: false }, context);
      return { status: 204, body: undefined };
    },
    async 'pins.put'({ params, caller, context }) {
      await pin(caller, params.id, true, context);
      return { status: 204, body: undefined };
    },
    async 'pins.delete'({ params, caller, context }) {
      await pin(caller, params.id, false, context);
      return { status: 204, body: undefined };
    },
  };
}
