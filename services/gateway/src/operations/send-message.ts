import { parseMessageId } from '@bluewave/api/fields';
import type { Message } from '@bluewave/api/objects';
import type { ClientEventPayload } from '@bluewave/api/socket-events';
import { AppError, notFound } from '@bluewave/errors/app-error';
import type { SendMessage } from '@bluewave/protos/generated/bluewave/chat/v1/SendMessage';
import type { SendReply } from '@bluewave/protos/generated/bluewave/chat/v1/SendReply';
import type { CallContext } from '@bluewave/rpc/service-definition';
import type { ChatReplicas, CommandContext } from '../clients/chat-replicas.ts';
import type { MediaClient } from '../clients/clients.ts';
import type { Identity } from '../identity/identity.ts';
import type { SendLimits } from '../limits/send-limits.ts';
import type { RateVerdict } from '../limits/sliding-window.ts';
import type { Presenter } from '../present/presenter.ts';
import { resolveAttachments, typeOfMessage } from './attachments.ts';
import { mentionsOf, namingMentions } from './mentions.ts';

export type SendDeps = {
  chat: Pick<ChatReplicas, 'send'>;
  media: Pick<MediaClient, 'ResolveAttachments'>;
  presenter: Presenter;
  sendLimits: SendLimits;
};

export type SendInput = ClientEventPayload<'message:send'>;

/** `room` is how much is left of the room's limit; undefined in other conversations. */
export type SentMessage = { message: Message; duplicate: boolean; room: RateVerdict | undefined };

/**
 * Sends a message. What limits refuse may be the repeat of one that was acknowledged: then the original is the answer,
 * and what turns out to be a repeat costs nothing of a limit.
 */
export async function sendMessage(
  deps: SendDeps,
  caller: Identity,
  input: SendInput,
  context: CallContext,
): Promise<SentMessage> {
  const { conversationId, clientMsgId, text = '' } = input;
  if (text.trim() === '' && !input.attachments?.length) throw emptyMessage();
  const sending = { userId: caller.userId, conversationId, clientMsgId };
  const { refusal, room, wasRepeat } = await deps.sendLimits.admit(sending, context);
  if (refusal && !deps.sendLimits.mayLookUp(caller.userId)) throw refusal;
  const attachments = await resolveAttachments(deps.media, caller, input.attachments ?? [], context);
  const type = typeOfMessage(input.type, attachments);
  const send = { conversationId, clientMsgId, type, text, attachments, ...relationsOf(input) };
  const asActor = { ...context, actorId: caller.userId };
  const sent = refusal ? originalOf(deps.chat, send, refusal, asActor) : deps.chat.send(send, asActor);
  const { message, duplicate } = await (input.mentions ? namingMentions(input.mentions, sent) : sent);
  if (!message) throw new AppError('INTERNAL', 'The platform gave no usable answer. Try again.');
  if (duplicate && !refusal) await wasRepeat(message.createdAtMs);
  if (!message.replyTo) return { message: deps.presenter.own(message, caller), duplicate, room };
  const [presented] = await deps.presenter.messages([message], context);
  return { message: presented ?? deps.presenter.own(message, caller), duplicate, room };
}

/** What a new message has to do with people and other messages. */
function relationsOf({ conversationId, mentions = [], replyTo, threadRootId }: SendInput) {
  const { userIds, all } = mentionsOf(mentions);
  return {
    mentionUserIds: userIds,
    mentionsAll: all,
    replyToSeq: seqOf(replyTo, conversationId),
    threadRootSeq: seqOf(threadRootId, conversationId),
  };
}

/** The seq of a message of the same conversation; 0 for none. What is elsewhere is not there. */
function seqOf(messageId: string | undefined, conversationId: string): number {
  if (messageId === undefined) return 0;
  const address = parseMessageId(messageId);
  if (address.conversationId !== conversationId) throw notFound();
  return address.seq;
}

/** What an earlier send of the same wrote. @throws the refusal when there was none. */
async function originalOf(
  chat: Pick<ChatReplicas, 'send'>,
  send: SendMessage,
  refusal: AppError,
  context: CommandContext,
): Promise<SendReply> {
  try {
    return await chat.send({ ...send, repeatOnly: true }, context);
  } catch (error) {
    if (error instanceof AppError && error.code === 'IDEMPOTENCY_MISMATCH') throw error;
    throw refusal;
  }
}

export function emptyMessage(): AppError {
  return new AppError('EMPTY_MESSAGE', 'Send text, an attachment, or both.');
}
