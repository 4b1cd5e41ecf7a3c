import { entryCommitted } from '@bluewave/events/codec';
import type { Work, WorkOutcome } from '@bluewave/events/work-consumer';
import type { EntryCommitted } from '@bluewave/protos/generated/bluewave/events/v1/EntryCommitted';
import { AppError } from '@bluewave/errors/app-error';
import { newTraceId } from '@bluewave/runtime/ids';
import type { Logger } from '@bluewave/runtime/logger';
import type { CommittedMessage } from '../notifications/committed-message.ts';
import type { Notified } from '../notifications/notify.ts';

const firstMs = 250;
const longestMs = 10_000;

/**
 * One entry of the stream as work: only new messages notify. What cannot be decoded never will and is dropped; a peer or
 * a store that is away means later, for as long as the stream keeps the entry.
 * @param random in [0, 1), spreads the retries.
 */
export function createEntryWork(
  notify: (message: CommittedMessage, look: number) => Promise<Notified>,
  log: Logger,
  random: () => number,
): (work: Work) => Promise<WorkOutcome> {
  return async ({ data, attempt }) => {
    let message: CommittedMessage | undefined;
    try {
      message = messageOf(entryCommitted.decode(data));
    } catch (error) {
      return { kind: 'drop', reason: `not an entry: ${error instanceof Error ? error.message : String(error)}` };
    }
    if (!message) return { kind: 'done' };
    try {
      const notified = await notify(message, attempt);
      return notified.kind === 'done' ? { kind: 'done' } : { kind: 'retry', afterMs: notified.afterMs };
    } catch (error) {
      const { conversationId, seq, traceId } = message;
      const away = error instanceof AppError && error.retryable && error.code !== 'INTERNAL';
      log[away ? 'warn' : 'error']({ err: error, conversationId, seq, traceId, attempt }, 'an entry has to wait');
      const afterMs = Math.min(longestMs, firstMs * 2 ** Math.min(attempt, 10)) * (0.8 + 0.4 * random());
      return { kind: 'retry', afterMs: Math.round(afterMs) };
    }
  };
}

/** The message of an entry that brings a new one; undefined for every other kind of entry. */
function messageOf({ entry, traceId, recipientIds, recipientsKnown }: EntryCommitted): CommittedMessage | undefined {
  const message = entry?.messageNew;
  if (!entry || !message || message.deletedAtMs > 0 || message.type === 'system') return undefined;
  return {
    conversationId: entry.conversationId,
    seq: entry.seq,
    senderId: entry.actorId,
    atMs: entry.atMs,
    text: message.text,
    attachmentKinds: message.attachments.map(({ kind }) => kind),
    recipientIds: recipientsKnown ? recipientIds : undefined,
    traceId: traceId || newTraceId(),
  };
}
