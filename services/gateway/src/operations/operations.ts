import type { Conversation, ForwardResult, Message, SyncAnswer } from '@bluewave/api/objects';
import { parseMessageId } from '@bluewave/api/fields';
import { limits } from '@bluewave/api/limits';
import type { ClientEventPayload } from '@bluewave/api/socket-events';
import { AppError } from '@bluewave/errors/app-error';
import type { Conversation as LogConversation } from '@bluewave/protos/generated/bluewave/chat/v1/Conversation';
import type { CallContext } from '@bluewave/rpc/service-definition';
import type { ChatReplicas } from '../clients/chat-replicas.ts';
import type { MediaClient } from '../clients/clients.ts';
import type { Identity } from '../identity/identity.ts';
import type { SendLimits } from '../limits/send-limits.ts';
import type { Presenter } from '../present/presenter.ts';
import { mentionsOf, namingMentions } from './mentions.ts';
import { type ForwardInput, forwardMessage } from './forward-message.ts';
import { emptyMessage, type SendInput, sendMessage, type SentMessage } from './send-message.ts';

export type OperationsDeps = {
  chat: Pick<ChatReplicas, 'send' | 'mark' | 'for' | 'any'>;
  media: Pick<MediaClient, 'ResolveAttachments'>;
  presenter: Presenter;
  sendLimits: SendLimits;
};

export type EditInput = ClientEventPayload<'message:edit'>;
export type PointerInput = ClientEventPayload<'message:read'>;

/**
 * What clients do over REST and over sockets alike: validated input and a verified caller in, API objects out. Every
 * operation ends within the context's deadline and throws AppErrors.
 */
export type Operations = {
  /** RATE_LIMITED, EMPTY_MESSAGE, NOT_FOUND, FORBIDDEN, IDEMPOTENCY_MISMATCH, UPLOAD_NOT_CONFIRMED, VALIDATION_FAILED. */
  sendMessage(caller: Identity, input: SendInput, context: CallContext): Promise<SentMessage>;
  /** NOT_FOUND, FORBIDDEN, EDIT_WINDOW_CLOSED, MESSAGE_DELETED, EMPTY_MESSAGE, VALIDATION_FAILED. */
  editMessage(caller: Identity, input: EditInput, context: CallContext): Promise<Message>;
  /** Idempotent. NOT_FOUND, FORBIDDEN. */
  deleteMessage(caller: Identity, input: { messageId: string }, context: CallContext): Promise<void>;
  /**
   * Each conversation has its own result. Done again under the same key it has the same ones. NOT_FOUND and
   * MESSAGE_DELETED for the source.
   */
  forwardMessage(caller: Identity, input: ForwardInput, context: CallContext): Promise<ForwardResult[]>;
  /** Idempotent. NOT_FOUND, FORBIDDEN, MESSAGE_DELETED, CONFLICT. */
  react(caller: Identity, input: ClientEventPayload<'message:react'>, context: CallContext): Promise<void>;
  /** @returns where the pointer is now; it never moves back. NOT_FOUND. */
  markRead(caller: Identity, input: PointerInput, context: CallContext): Promise<{ seq: number }>;
  /** @returns where the pointer is now; it never moves back. NOT_FOUND. */
  markDelivered(caller: Identity, input: PointerInput, context: CallContext): Promise<{ seq: number }>;
  sync(caller: Identity, input: ClientEventPayload<'sync'>, context: CallContext): Promise<SyncAnswer>;
  /** NOT_FOUND. */
  getConversation(caller: Identity, conversationId: string, context: CallContext): Promise<Conversation>;
};

export function createOperations(deps: OperationsDeps): Operations {
  const mark = (caller: Identity, input: PointerInput, which: 'readSeq' | 'deliveredSeq', context: CallContext) =>
    deps.chat.mark(
      { conversationId: input.conversationId, readSeq: 0, deliveredSeq: 0, [which]: input.seq },
      { ...context, actorId: caller.userId },
    );
  return {
    sendMessage: (caller, input, context) => sendMessage(deps, caller, input, context),
    editMessage: (caller, input, context) => editMessage(deps, caller, input, context),
    async deleteMessage(caller, { messageId }, context) {
      const { conversationId, seq } = parseMessageId(messageId);
      await deps.chat.for(conversationId).DeleteMessage({ actorId: caller.userId, conversationId, seq }, context);
    },
    forwardMessage: (caller, input, context) => forwardMessage(deps, caller, input, context),
    async react(caller, { messageId, emoji, on }, context) {
      const address = { actorId: caller.userId, ...parseMessageId(messageId) };
      await deps.chat.for(address.conversationId).React({ ...address, emoji, on }, context);
    },
    markRead: async (caller, input, context) => ({ seq: (await mark(caller, input, 'readSeq', context)).readSeq }),
    markDelivered: async (caller, input, context) => ({
      seq: (await mark(caller, input, 'deliveredSeq', context)).deliveredSeq,
    }),
    async sync(caller, input, context) {
      const { cursors, token = '', limit = limits.syncPageEntries } = input;
      const reply = await deps.chat.any.Sync({ actorId: caller.userId, cursors, token, limit }, context);
      return deps.presenter.sync(reply, caller.userId, context);
    },
    async getConversation(caller, conversationId, context) {
      const request = { actorId: caller.userId, conversationId };
      const found = await deps.chat.for(conversationId).GetConversation(request, context);
      return presentOne(deps.presenter, found, caller, context);
    },
  };
}

async function editMessage(
  deps: OperationsDeps,
  caller: Identity,
  { messageId, text, mentions }: EditInput,
  context: CallContext,
): Promise<Message> {
  if (text.trim() === '') throw emptyMessage();
  const { conversationId, seq } = parseMessageId(messageId);
  const called = mentions === undefined ? null : mentionsOf(mentions);
  const request = { actorId: caller.userId, conversationId, seq, text, mentions: called };
  const edited = await namingMentions(mentions ?? [], deps.chat.for(conversationId).EditMessage(request, context));
  const [message] = await deps.presenter.messages([edited], context);
  if (!message) throw new AppError('INTERNAL', 'The platform gave no usable answer. Try again.');
  return message;
}

/** A conversation completed for its reader. */
export async function presentOne(
  presenter: Presenter,
  conversation: LogConversation,
  reader: Identity,
  context: CallContext,
): Promise<Conversation> {
  const [presented] = await presenter.conversations([conversation], reader.userId, context);
  if (!presented) throw new AppError('INTERNAL', 'The platform gave no usable answer. Try again.');
  return presented;
}
