import { AppError } from '@bluewave/errors/app-error';
import type { AppendRequest } from '../log/append.ts';
import { derivedId, hashOf } from '../log/derived-id.ts';
import type { Call, MessageEntry, Target } from './change-message.ts';
import { sendMessage } from './send-message.ts';

/** A forward of a message (`conversationId`, `seq`) to another conversation, under a key that makes it happen once. */
export type Forward = Target & { targetId: string; key: string };

/**
 * The entry that forwards a message. It is the same for the same key, also when the source has changed meanwhile, was
 * deleted, or is out of sight (`source` is then the reason): so a repeat is answered with what the first one wrote.
 */
export function forwardMessage(
  forward: Forward,
  source: MessageEntry | AppError,
  call: Call,
  now: () => number,
): AppendRequest {
  const { actorId, conversationId, seq, targetId, key } = forward;
  const identity = {
    clientMsgId: derivedId('forward', actorId, key, conversationId, seq, targetId),
    bodyHash: hashOf('forward', conversationId, seq),
  };
  const refusal = source instanceof AppError ? source : refusalOf(source);
  if (source instanceof AppError || refusal) {
    const prepare = (): never => {
      throw refusal ?? source;
    };
    return { ...call, conversationId: targetId, senderId: actorId, ...identity, prepare };
  }
  const { kind, text, attachments, forwarded } = source.body;
  const message = {
    ...{ actorId, conversationId: targetId, clientMsgId: identity.clientMsgId },
    ...{ kind, text, attachments },
    forwarded: { conversationId, seq, hops: (forwarded?.hops ?? 0) + 1 },
  };
  return { ...sendMessage(message, call, now), ...identity };
}

function refusalOf({ body }: MessageEntry): AppError | undefined {
  return body.deletedAt === null ? undefined : new AppError('MESSAGE_DELETED', 'A deleted message is not forwarded.');
}
