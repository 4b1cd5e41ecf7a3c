import { AppError } from '@bluewave/errors/app-error';
import { requireMember } from '../conversations/change-members.ts';
import type { AppendRequest } from '../log/append.ts';
import { derivedId, hashOf } from '../log/derived-id.ts';
import type { ReactionState } from '../reading/message-reads.ts';
import type { Call, MessageEntry, Target } from './change-message.ts';

/** Different emoji that one person shows on a message, and all people together. */
const mostOwn = 20;
const mostDifferent = 100;

/**
 * The entry that shows an emoji on a message or takes it away; null when it is so already. Its id follows from the
 * last entry of the same person and emoji, so of several that ask for the same at once one is written.
 * The bounds keep a message small; people who react at the same moment may pass the second one by their number.
 */
export function reactToMessage(
  target: Target & { emoji: string; on: boolean },
  message: MessageEntry,
  own: readonly ReactionState[],
  call: Call,
): AppendRequest | null {
  const { actorId, conversationId, seq, emoji, on } = target;
  const known = own.find((reaction) => reaction.emoji === emoji);
  if (message.body.deletedAt !== null) throw new AppError('MESSAGE_DELETED', 'Nobody reacts to a deleted message.');
  if ((known?.on ?? false) === on) return null;
  if (on) demandRoom(message, own, emoji);
  return {
    ...call,
    conversationId,
    senderId: actorId,
    clientMsgId: derivedId('react', conversationId, seq, actorId, emoji, on ? 1 : 0, known?.seq ?? 0),
    bodyHash: hashOf('react', seq, emoji, on),
    prepare: (state) => {
      requireMember(state, actorId);
      return { type: 'message:reaction', target: seq, emoji, on };
    },
  };
}

function demandRoom({ body }: MessageEntry, own: readonly ReactionState[], emoji: string): void {
  if (own.filter(({ on }) => on).length >= mostOwn) {
    throw new AppError('CONFLICT', `You show ${mostOwn} emoji on this message already. Take one away first.`);
  }
  const shown = body.counts?.reactions ?? [];
  if (shown.length >= mostDifferent && !shown.some((reaction) => reaction.emoji === emoji)) {
    throw new AppError('CONFLICT', `This message has ${mostDifferent} different emoji already. Use one of them.`);
  }
}
