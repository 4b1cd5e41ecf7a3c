import { durable, operationMs } from '@bluewave/mongo/connect';
import { mongoFailure } from '@bluewave/mongo/mongo-failure';
import { within } from '@bluewave/runtime/deadline';

/** Options of a read. Reads go to the primary, which holds every acknowledged write. */
export const read = { maxTimeMS: operationMs } as const;

/** Options of a write that a majority holds when it returns. */
export const write = { ...durable, maxTimeMS: operationMs } as const;

/**
 * Runs one database operation. @throws AppError UNAVAILABLE or DEADLINE_EXCEEDED when the database is away or slow:
 * the outcome of a write is then unknown.
 */
export async function run<T>(operation: Promise<T>): Promise<T> {
  try {
    // The server keeps to its time; a server that is gone is noticed by the driver within two of them.
    return await within(2 * operationMs, 'The database', operation);
  } catch (error) {
    throw mongoFailure(error) ?? error;
  }
}
