import { parseMessageId } from '@bluewave/api/fields';
import type { ForwardResult } from '@bluewave/api/objects';
import { AppError, toAppError } from '@bluewave/errors/app-error';
import { toProblem } from '@bluewave/errors/problem';
import type { Message as LogMessage } from '@bluewave/protos/generated/bluewave/chat/v1/Message';
import type { CallContext } from '@bluewave/rpc/service-definition';
import type { ChatReplicas } from '../clients/chat-replicas.ts';
import type { Identity } from '../identity/identity.ts';
import type { SendLimits } from '../limits/send-limits.ts';
import type { Presenter } from '../present/presenter.ts';

export type ForwardDeps = { chat: Pick<ChatReplicas, 'for'>; presenter: Presenter; sendLimits: SendLimits };

/** The same key forwards the same message to the same conversation once. */
export type ForwardInput = { messageId: string; conversationIds: readonly string[]; key: string };

type Forwarded = { conversationId: string; message: LogMessage } | { conversationId: string; error: AppError };

/**
 * Forwards a message to conversations: for each the limits, the rules and the answer of a send. When the message
 * cannot be forwarded at all, only what an earlier call under the same key did is answered, else the reason.
 */
export async function forwardMessage(
  deps: ForwardDeps,
  caller: Identity,
  input: ForwardInput,
  context: CallContext,
): Promise<ForwardResult[]> {
  const sourceError = await refusalOfSource(deps, caller, input.messageId, context);
  const targets = [...new Set(input.conversationIds)];
  const outcomes = await Promise.all(
    targets.map((conversationId) => forwardTo(deps, caller, { ...input, conversationId }, sourceError, context)),
  );
  const messages = outcomes.flatMap((outcome) => ('message' in outcome ? [outcome.message] : []));
  if (sourceError && messages.length === 0) throw sourceError;
  const presented = await deps.presenter.messages(messages, context);
  const byConversation = new Map(presented.map((message) => [message.conversationId, message]));
  return outcomes.map((outcome) => {
    const { conversationId } = outcome;
    const message = byConversation.get(conversationId);
    if (message) return { conversationId, ok: true, message };
    const error = 'error' in outcome ? outcome.error : noAnswer();
    return { conversationId, ok: false, error: toProblem(error, context.traceId) };
  });
}

/** Why the message cannot be forwarded; undefined when it can. @throws when that cannot be known. */
async function refusalOfSource(
  { chat }: ForwardDeps,
  caller: Identity,
  messageId: string,
  context: CallContext,
): Promise<AppError | undefined> {
  const address = { actorId: caller.userId, ...parseMessageId(messageId) };
  try {
    const { deletedAtMs, system } = await chat.for(address.conversationId).GetMessage(address, context);
    if (system) return new AppError('NOT_FOUND', 'There is nothing here that you can see.');
    return deletedAtMs > 0 ? new AppError('MESSAGE_DELETED', 'A deleted message is not forwarded.') : undefined;
  } catch (thrown) {
    const error = toAppError(thrown);
    if (error.code === 'NOT_FOUND') return error;
    throw error;
  }
}

/** Never rejects: what is refused is a result. */
async function forwardTo(
  { chat, sendLimits }: ForwardDeps,
  caller: Identity,
  { messageId, conversationId, key }: { messageId: string; conversationId: string; key: string },
  sourceError: AppError | undefined,
  context: CallContext,
): Promise<Forwarded> {
  try {
    const sending = { userId: caller.userId, conversationId, clientMsgId: `${key} ${messageId}` };
    const admission = sourceError ? undefined : await sendLimits.admit(sending, context);
    const refusal = sourceError ?? admission?.refusal;
    if (refusal && !sendLimits.mayLookUp(caller.userId)) throw refusal;
    const request = {
      ...{ actorId: caller.userId, ...parseMessageId(messageId) },
      ...{ targetConversationId: conversationId, idempotencyKey: key, repeatOnly: refusal !== undefined },
    };
    const reply = await chat
      .for(conversationId)
      .ForwardMessage(request, context)
      .catch((error: unknown) => {
        throw refusal ?? error;
      });
    if (!reply.message) throw noAnswer();
    if (reply.duplicate && !refusal) await admission?.wasRepeat(reply.message.createdAtMs);
    return { conversationId, message: reply.message };
  } catch (thrown) {
    return { conversationId, error: toAppError(thrown) };
  }
}

function noAnswer(): AppError {
  return new AppError('INTERNAL', 'The platform gave no usable answer. Try again.');
}
