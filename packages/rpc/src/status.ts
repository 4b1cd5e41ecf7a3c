import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { AppError, type FieldError, toAppError } from '@bluewave/errors/app-error';
import { errorTable, isErrorCode } from '@bluewave/errors/error-table';

const errorKey = 'bluewave-error-bin';
export const traceKey = 'bluewave-trace-id';

type WireError = {
  code: string;
  detail: string;
  fields?: FieldError[];
  retryAfterMs?: number;
  mutedUntil?: string;
};

/** Anything thrown by a handler, as the status a caller gets. The cause stays behind. */
export function toStatus(thrown: unknown): { code: status; details: string; metadata: Metadata } {
  const error = toAppError(thrown);
  const wire: WireError = {
    code: error.code,
    detail: error.detail,
    ...(error.fields ? { fields: error.fields } : {}),
    ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
    ...(error.mutedUntil === undefined ? {} : { mutedUntil: error.mutedUntil }),
  };
  const metadata = new Metadata();
  metadata.set(errorKey, Buffer.from(JSON.stringify(wire)));
  return { code: errorTable[error.code].grpc, details: error.code, metadata };
}

/** A failed call as an AppError: the reason the service gave, else what the transport says. Total. */
export function fromStatus(error: ServiceError, service: string): AppError {
  const wire = parseWire(error.metadata?.get(errorKey)[0]);
  if (wire && isErrorCode(wire.code)) {
    return new AppError(wire.code, wire.detail, {
      ...(wire.fields ? { fields: wire.fields } : {}),
      ...(wire.retryAfterMs === undefined ? {} : { retryAfterMs: wire.retryAfterMs }),
      ...(wire.mutedUntil === undefined ? {} : { mutedUntil: wire.mutedUntil }),
    });
  }
  switch (error.code) {
    case status.DEADLINE_EXCEEDED:
      return new AppError('DEADLINE_EXCEEDED', 'The platform did not answer in time. Try again.', { cause: error });
    case status.UNAVAILABLE:
    case status.CANCELLED:
      return new AppError('UNAVAILABLE', `The ${service} service cannot be reached. Try again.`, {
        cause: error,
        retryAfterMs: 500,
      });
    case status.RESOURCE_EXHAUSTED:
      return new AppError('PAYLOAD_TOO_LARGE', 'The request is too large.', { cause: error });
    default:
      return toAppError(error);
  }
}

function parseWire(value: string | Buffer | undefined): WireError | undefined {
  if (value === undefined) return undefined;
  try {
    return JSON.parse(value.toString()) as WireError;
  } catch {
    return undefined;
  }
}
