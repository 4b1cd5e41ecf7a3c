import { isNativeError } from 'node:util/types';
import { AppError } from '@bluewave/errors/app-error';
import mongoose from 'mongoose';

const { MongoBulkWriteError, MongoError, MongoServerError } = mongoose.mongo;

/** Codes of a server that ran out of the operation's time. */
const outOfTime = new Set([50, 262]);
/** Codes of a server that is not (or no longer) the primary, shuts down, or cannot reach a majority. */
const notServing = new Set([6, 7, 64, 89, 91, 112, 133, 134, 189, 9001, 10107, 11600, 11602, 13435, 13436]);

const duplicateKey = 11_000;

/**
 * True for the refusal of a unique index: somebody else was first. Of many writes every refusal must be one, and the
 * rest must be held by a majority: else their outcome is unknown, which is another thing.
 */
export function isDuplicateKey(error: unknown): boolean {
  if (!(error instanceof MongoBulkWriteError)) {
    return error instanceof MongoServerError && error.code === duplicateKey;
  }
  const refusals = error.result.getWriteErrors();
  const isMajority = error.result.getWriteConcernError() === undefined;
  return isMajority && refusals.length > 0 && refusals.every((one) => one.code === duplicateKey);
}

/**
 * What a failed database operation means to a caller: an expired time, or a database that is away for the moment.
 * The outcome of a write that failed so is unknown. @returns undefined for anything else, which is a bug.
 */
export function mongoFailure(error: unknown): AppError | undefined {
  if (isSocketFailure(error)) return away(error);
  if (!(error instanceof MongoError) && !(error instanceof mongoose.MongooseError)) return undefined;
  const code = codeOf(error);
  if (code !== undefined && outOfTime.has(code)) {
    return new AppError('DEADLINE_EXCEEDED', 'The platform did not answer in time. Try again.', { cause: error });
  }
  const isAway = code === undefined ? connectionTrouble.has(error.name) : notServing.has(code);
  return isAway ? away(error) : undefined;
}

function away(cause: unknown): AppError {
  const says = 'The platform cannot reach its records for a moment. Try again.';
  return new AppError('UNAVAILABLE', says, { cause, retryAfterMs: 500 });
}

/** Node's own error: the driver rejects with it, unwrapped, when a socket breaks while a command is still being written. */
function isSocketFailure(error: unknown): boolean {
  return isNativeError(error) && 'code' in error && socketTrouble.has(error.code);
}

function codeOf(error: Error): number | undefined {
  const bulk = error instanceof MongoBulkWriteError ? error.result.getWriteConcernError()?.code : undefined;
  if (bulk !== undefined) return bulk;
  return 'code' in error && typeof error.code === 'number' ? error.code : undefined;
}

const socketTrouble = new Set<unknown>([
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EPIPE',
  'ETIMEDOUT',
  'ERR_SOCKET_CLOSED',
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_WRITE_AFTER_END',
]);

/** By name, since the driver has a class for each way a connection is not there and none of them has a code. */
const connectionTrouble = new Set([
  'MongoNetworkError',
  'MongoNetworkTimeoutError',
  'MongoServerSelectionError',
  'MongoPoolClearedError',
  'MongoPoolClosedError',
  'PoolClearedOnNetworkError',
  'MongoWaitQueueTimeoutError',
  'MongoNotConnectedError',
  'MongoTopologyClosedError',
  'MongoServerClosedError',
  'MongoClientClosedError',
  'MongooseServerSelectionError',
]);
