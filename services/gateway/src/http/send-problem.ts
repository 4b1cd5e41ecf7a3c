import { AppError, toAppError } from '@bluewave/errors/app-error';
import { toProblem } from '@bluewave/errors/problem';
import type { Logger } from '@bluewave/runtime/logger';
import type { ErrorRequestHandler, Response } from 'express';
import { verdictBehind } from '../limits/rate-limiter.ts';
import { setRateHeaders } from './rate-headers.ts';
import { stateOf } from './request-state.ts';

/** Answers with problem details (RFC 9457) and the headers that belong to the error. */
export function sendProblem(response: Response, error: AppError): void {
  const verdict = verdictBehind(error) ?? stateOf(response).verdict;
  if (verdict) setRateHeaders(response, verdict);
  const retryAfterMs = error.retryAfterMs ?? (error.httpStatus === 429 ? 1_000 : undefined);
  if (retryAfterMs !== undefined && error.retryable) {
    response.set('retry-after', String(Math.max(1, Math.ceil(retryAfterMs / 1_000))));
  }
  if (error.httpStatus === 401) response.set('www-authenticate', 'Bearer');
  response
    .status(error.httpStatus)
    .set('cache-control', 'no-store')
    .type('application/problem+json')
    .send(JSON.stringify(toProblem(error, stateOf(response).traceId)));
}

/** The end of every request that failed, whatever was thrown. */
export function problemHandler(log: Logger): ErrorRequestHandler {
  return (thrown: unknown, request, response, next) => {
    const error = fromHttpLibraries(thrown) ?? toAppError(thrown);
    if (error.httpStatus >= 500) {
      const { traceId, route } = stateOf(response);
      log[error.code === 'INTERNAL' ? 'error' : 'warn']({ err: error, traceId, route }, 'request failed');
    }
    if (response.headersSent) return next(error);
    if (!request.complete) response.set('connection', 'close');
    sendProblem(response, error);
  };
}

/** Errors of the body parser and the router, which know only HTTP statuses. */
function fromHttpLibraries(thrown: unknown): AppError | undefined {
  if (thrown instanceof AppError || !(thrown instanceof Error)) return undefined;
  const { status, type } = thrown as Error & { status?: unknown; type?: unknown };
  switch (type) {
    case 'entity.too.large':
      return new AppError('PAYLOAD_TOO_LARGE', 'The body is larger than 64 KiB.');
    case 'entity.parse.failed':
      return new AppError('MALFORMED_JSON', 'The body is not valid JSON.');
    case 'charset.unsupported':
    case 'encoding.unsupported':
      return new AppError('UNSUPPORTED_MEDIA_TYPE', 'Send the body as JSON in UTF-8, plain or gzip.');
    default:
      return typeof status === 'number' && status >= 400 && status < 500
        ? new AppError('VALIDATION_FAILED', 'The request cannot be understood.', { cause: thrown })
        : undefined;
  }
}
