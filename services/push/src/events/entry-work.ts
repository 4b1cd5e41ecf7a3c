import { entriesCommitted } from '@bluewave/events/codec';
import type { Work, WorkOutcome } from '@bluewave/events/work-consumer';
import type { EntriesCommitted } from '@bluewave/protos/generated/bluewave/events/v1/EntriesCommitted';
import type { EntryCommitted } from '@bluewave/protos/generated/bluewave/events/v1/EntryCommitted';
import { AppError } from '@bluewave/errors/app-error';
import { newTraceId } from '@bluewave/runtime/ids';
import type { Logger } from '@bluewave/runtime/logger';
import type { CommittedMessage } from '../notifications/committed-message.ts';
import type { Notified } from '../notifications/notify.ts';

const firstMs = 250;
const longestMs = 10_000;
/** The longest wait that a clock which differs can make of `not_before_ms`. */
const longestPauseMs = 60_000;

export type EntryWorkParts = {
  notify(message: CommittedMessage, look: number): Promise<Notified>;
  /** Puts entries into the stream again. @returns false when it is not known to hold them. */
  putAgain(entries: Uint8Array): Promise<boolean>;
  log: Logger;
  /** Milliseconds since the epoch. */
  now(): number;
  /** In [0, 1), spreads the retries. */
  random(): number;
};

/** An entry that is to be looked at again. */
type Open = { entry: EntryCommitted; afterMs: number };

/**
 * A message of the entries stream as work: only new messages notify. Entries that have to be looked at again come again,
 * in a message of their own when others beside them are finished: those are not looked at twice. What cannot be decoded
 * never will and is dropped; a peer or a store that is away means later, for as long as the stream keeps the entry.
 */
export function createEntryWork(parts: EntryWorkParts): (work: Work) => Promise<WorkOutcome> {
  const { now, putAgain } = parts;
  return async ({ data, attempt }) => {
    let batch: EntriesCommitted;
    try {
      batch = entriesCommitted.decode(data);
    } catch (error) {
      return { kind: 'drop', reason: `no entries: ${error instanceof Error ? error.message : String(error)}` };
    }
    const pauseMs = Math.min(longestPauseMs, batch.notBeforeMs - now());
    if (attempt <= 1 && pauseMs > 0) return { kind: 'retry', afterMs: pauseMs };
    const look = batch.looks + attempt;
    const looked = await Promise.all(batch.entries.map((entry) => lookAt(parts, entry, look)));
    const open = looked.filter((one) => one !== undefined);
    if (open.length === 0) return { kind: 'done' };
    const afterMs = Math.min(...open.map((one) => one.afterMs));
    if (open.length === batch.entries.length) return { kind: 'retry', afterMs };
    const entries = open.map(({ entry }) => entry);
    const isThere = await putAgain(entriesCommitted.encode({ entries, looks: look, notBeforeMs: now() + afterMs }));
    return isThere ? { kind: 'done' } : { kind: 'retry', afterMs };
  };
}

/** @returns undefined when nothing is left to do. */
async function lookAt(parts: EntryWorkParts, entry: EntryCommitted, look: number): Promise<Open | undefined> {
  const message = messageOf(entry);
  if (!message) return undefined;
  try {
    const notified = await parts.notify(message, look);
    return notified.kind === 'done' ? undefined : { entry, afterMs: notified.afterMs };
  } catch (error) {
    const { conversationId, seq, traceId } = message;
    const away = error instanceof AppError && error.retryable && error.code !== 'INTERNAL';
    parts.log[away ? 'warn' : 'error']({ err: error, conversationId, seq, traceId, look }, 'an entry has to wait');
    const afterMs = Math.min(longestMs, firstMs * 2 ** Math.min(look, 10)) * (0.8 + 0.4 * parts.random());
    return { entry, afterMs: Math.round(afterMs) };
  }
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
