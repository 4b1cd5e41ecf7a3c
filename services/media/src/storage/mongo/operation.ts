import { committed, durable, operationMs } from '@bluewave/mongo/connect';
import { mongoFailure } from '@bluewave/mongo/mongo-failure';
import { remainingMs, within } from '@bluewave/runtime/deadline';
import type { Deadline } from '../../uploads/upload-store.ts';

/** Options of a read of what can no longer be rolled back. */
export const readBy = ({ deadline }: Deadline) => ({
  ...committed,
  maxTimeMS: remainingMs(deadline, operationMs),
});

/** Options of a write that a majority holds when it returns. */
export const writeBy = ({ deadline }: Deadline) => ({
  writeConcern: { ...durable.writeConcern, wtimeoutMS: remainingMs(deadline, operationMs) },
  maxTimeMS: remainingMs(deadline, operationMs),
});

/** Options of a write that may be lost with its server: a limit that forgets a moment does no harm. */
export const quickWriteBy = ({ deadline }: Deadline) => ({
  writeConcern: { w: 1, j: false },
  maxTimeMS: remainingMs(deadline, operationMs),
});

/**
 * Runs one database operation. @throws AppError UNAVAILABLE or DEADLINE_EXCEEDED when the database is away or slow:
 * the outcome of a write is then unknown.
 */
export async function run<T>(by: Deadline, operation: PromiseLike<T>): Promise<T> {
  try {
    // The server keeps to its time; a server that is gone is noticed by the driver within two of them.
    return await within(remainingMs(by.deadline, 2 * operationMs), 'The database', Promise.resolve(operation));
  } catch (error) {
    throw mongoFailure(error) ?? error;
  }
}
