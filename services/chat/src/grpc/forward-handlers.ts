import { AppError, notFound } from '@bluewave/errors/app-error';
import type { ChatServiceDefinition } from '@bluewave/protos/generated/bluewave/chat/v1/ChatService';
import type { Handlers } from '@bluewave/rpc/service-definition';
import { isMessage, presentMessage } from '../events/present-message.ts';
import type { MessageEntry } from '../messages/change-message.ts';
import { forwardMessage } from '../messages/forward.ts';
import { hydrate } from '../reading/hydrate.ts';
import type { ChatDeps } from './chat-deps.ts';
import { checkIds } from './check-request.ts';
import { toFailure } from './failures.ts';
import { type MessageAddress, readMessage } from './read-message.ts';

export function forwardHandlers(deps: ChatDeps): Pick<Handlers<ChatServiceDefinition>, 'ForwardMessage'> {
  return {
    async ForwardMessage({ targetConversationId, idempotencyKey, repeatOnly, ...address }, call) {
      checkIds(targetConversationId);
      const source = await readSource(deps, address);
      const forward = { ...address, targetId: targetConversationId, key: idempotencyKey };
      const append = forwardMessage(forward, source, call, deps.clock);
      const { entry, duplicate } = await deps.writer.append(repeatOnly ? { ...append, prepare: () => null } : append);
      if (!entry || !isMessage(entry)) throw notFound();
      const hydrated = await hydrate(deps.reads, [entry], address.actorId);
      return { message: presentMessage(entry, hydrated), duplicate };
    },
  };
}

/** The message, or why it is none for the actor: a repeat of a forward is answered all the same. */
async function readSource({ reads }: ChatDeps, address: MessageAddress): Promise<MessageEntry | AppError> {
  try {
    return await readMessage(reads, address);
  } catch (thrown) {
    const error = toFailure(thrown);
    if (error.code === 'NOT_FOUND') return error;
    throw error;
  }
}
