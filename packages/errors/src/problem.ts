import type { AppError, FieldError } from './app-error.ts';
import { errorTable, type ErrorCode } from './error-table.ts';

/** RFC 9457 problem details, the body of every REST error and the `error` of every refused socket event. */
export type Problem = {
  type: string;
  title: string;
  status: number;
  code: ErrorCode;
  detail: string;
  traceId: string;
  errors?: FieldError[];
  retryAfterMs?: number;
  mutedUntil?: string;
};

/** The allow-listed view of an error for callers: no cause, no stack. */
export function toProblem(error: AppError, traceId: string): Problem {
  const row = errorTable[error.code];
  return {
    type: `urn:bluewave:error:${error.code.toLowerCase().replaceAll('_', '-')}`,
    title: row.title,
    status: row.http,
    code: error.code,
    detail: error.detail,
    traceId,
    ...(error.fields ? { errors: error.fields } : {}),
    ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
    ...(error.mutedUntil === undefined ? {} : { mutedUntil: error.mutedUntil }),
  };
}
