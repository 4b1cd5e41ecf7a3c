import { errorTable, type ErrorCode } from './error-table.ts';

/** One refused field of a request. `path` is dotted (`device.name`), `code` is the schema's reason. */
export type FieldError = { path: string; code: string; message: string };

export type AppErrorOptions = {
  /** What lies behind it, for logs only; never sent to a caller. */
  cause?: unknown;
  /** Refused fields, in the order of the schema. */
  fields?: FieldError[];
  /** Earliest useful time to try again, milliseconds from now. */
  retryAfterMs?: number;
  /** End of a mute, ISO 8601. */
  mutedUntil?: string;
};

/**
 * The one error that crosses layers: a row of the error table plus a sentence that says what the caller can do.
 * `detail` is shown to callers and so names no internals.
 */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly detail: string;
  readonly fields: FieldError[] | undefined;
  readonly retryAfterMs: number | undefined;
  readonly mutedUntil: string | undefined;

  constructor(code: ErrorCode, detail: string, options: AppErrorOptions = {}) {
    super(`${code}: ${detail}`, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.detail = detail;
    this.fields = options.fields;
    this.retryAfterMs = options.retryAfterMs;
    this.mutedUntil = options.mutedUntil;
  }

  get httpStatus(): number {
    return errorTable[this.code].http;
  }

  get retryable(): boolean {
    return errorTable[this.code].retryable;
  }
}

/**
 * Any thrown thing as an AppError: an AppError stays itself, all else becomes INTERNAL with the thing as cause.
 * Total: never throws.
 */
export function toAppError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  return new AppError('INTERNAL', 'The request could not be completed. Try again; the trace id helps us find it.', {
    cause: thrown,
  });
}

/** Foreign and absent resources answer alike, so there is one way to make that answer. */
export function notFound(): AppError {
  return new AppError('NOT_FOUND', 'There is nothing here that you can see.');
}
