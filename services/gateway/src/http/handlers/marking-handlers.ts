import { parseMessageId } from '@bluewave/api/fields';
import type { CallContext } from '@bluewave/rpc/service-definition';
import { newId } from '@bluewave/runtime/ids';
import type { Identity } from '../../identity/identity.ts';
import { rateLimits } from '../../limits/limits.ts';
import type { HandlersOf, HttpDeps } from '../handler.ts';

type MarkingRoute =
  | 'reactions.put'
  | 'reactions.delete'
  | 'pins.put'
  | 'pins.delete'
  | 'stars.put'
  | 'stars.delete'
  | 'messages.forward'
  | 'messages.report';

/** What people put on messages. */
export function markingHandlers({ clients, operations, limiter }: HttpDeps): HandlersOf<MarkingRoute> {
  const pin = async (caller: Identity, messageId: string, on: boolean, context: CallContext): Promise<void> => {
    const address = parseMessageId(messageId);
    await clients.chat.for(address.conversationId).PinMessage({ actorId: caller.userId, ...address, on }, context);
  };
  const star = async (caller: Identity, messageId: string, on: boolean, context: CallContext): Promise<void> => {
    const address = parseMessageId(messageId);
    await clients.chat.for(address.conversationId).StarMessage({ actorId: caller.userId, ...address, on }, context);
  };
  return {
    async 'stars.put'({ params, caller, context }) {
      await star(caller, params.id, true, context);
      return { status: 204, body: undefined };
    },
    async 'stars.delete'({ params, caller, context }) {
      await star(caller, params.id, false, context);
      return { status: 204, body: undefined };
    },
    async 'messages.forward'({ params, body, caller, idempotencyKey, context }) {
      const { conversationIds } = body;
      const input = { messageId: params.id, conversationIds, key: idempotencyKey ?? newId() };
      return { status: 200, body: { results: await operations.forwardMessage(caller, input, context) } };
    },
    async 'messages.report'({ params, body, caller, context }) {
      await limiter.demand(rateLimits.reports, caller.userId);
      const { reason, note = '' } = body;
      const address = parseMessageId(params.id);
      const request = { actorId: caller.userId, ...address, reason, note };
      await clients.chat.for(address.conversationId).ReportMessage(request, context);
      return { status: 202, body: undefined };
    },
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
