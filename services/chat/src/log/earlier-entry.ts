import { AppError } from '@bluewave/errors/app-error';
import { sleep } from '@bluewave/runtime/deadline';
import type { AppendRequest } from './append.ts';
import type { LogEntry } from './entry.ts';
import type { EntryStore } from './entry-store.ts';

/** An append whose outcome could not be learned in time: a repeat with the same id finds out. */
export function outcomeUnknown(cause?: unknown): AppError {
  return new AppError(
    'UNAVAILABLE',
    'It is not certain yet whether this was written. Repeat it with the same id: it is written at most once.',
    { cause, retryAfterMs: 500 },
  );
}

/** The committed entry under a request's clientMsgId, or null. @throws IDEMPOTENCY_MISMATCH for another body. */
export async function findEarlier(store: EntryStore, request: AppendRequest): Promise<LogEntry | null> {
  const { conversationId, senderId, clientMsgId, bodyHash } = request;
  const earlier = await store.findByClientMsgId(conversationId, senderId, clientMsgId);
  if (earlier && Buffer.compare(earlier.bodyHash, bodyHash) !== 0) {
    throw new AppError('IDEMPOTENCY_MISMATCH', 'This clientMsgId was used for another message. Use a new one.');
  }
  return earlier;
}

/**
 * The entry that took a request's clientMsgId, as soon as it is majority-committed: until then it could be rolled
 * back, and an answer would be a guess. @throws outcomeUnknown at the request's deadline.
 */
export async function awaitEarlier(store: EntryStore, request: AppendRequest, clock: () => number): Promise<LogEntry> {
  for (;;) {
    const earlier = await findEarlier(store, request);
    if (earlier) return earlier;
    if (clock() >= request.deadline) throw outcomeUnknown();
    await sleep(15);
  }
}
