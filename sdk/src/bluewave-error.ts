import type { ErrorCode, Problem } from './contract.ts';

/** Why something failed on this side of the network. */
export type LocalCode =
  'OFFLINE' | 'TIMEOUT' | 'ABORTED' | 'SIGNED_OUT' | 'OTHER_USER' | 'UPLOAD_FAILED' | 'STORE_FAILED' | 'CLOSED';

export type BluewaveErrorOptions = {
  /** Whether the same thing may succeed later. */
  retryable: boolean;
  /** Earliest useful time to try again, milliseconds from now. */
  retryAfterMs?: number | undefined;
  /** Names the request in the platform's logs. */
  traceId?: string | undefined;
  /** End of a mute, ISO 8601. */
  mutedUntil?: string | undefined;
  /** Refused fields. */
  fields?: Problem['errors'];
  cause?: unknown;
};

/** Everything that this client rejects with: what the platform refused, by its code, and what never got there. */
export class BluewaveError extends Error {
  readonly code: ErrorCode | LocalCode;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  readonly traceId: string | undefined;
  readonly mutedUntil: string | undefined;
  readonly fields: NonNullable<Problem['errors']>;

  constructor(code: ErrorCode | LocalCode, message: string, options: BluewaveErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'BluewaveError';
    this.code = code;
    this.retryable = options.retryable;
    this.retryAfterMs = options.retryAfterMs;
    this.traceId = options.traceId;
    this.mutedUntil = options.mutedUntil;
    this.fields = options.fields ?? [];
  }
}

/** Refusals that a repeat may turn into a success, beside all with a status of 5xx or 429. */
const retryableCodes: readonly string[] = ['REQUEST_IN_PROGRESS'] satisfies ErrorCode[];

/** A refusal of the platform as an error. */
export function fromProblem(problem: Problem): BluewaveError {
  const { code, status, detail, retryAfterMs, traceId, mutedUntil, errors } = problem;
  const retryable = status >= 500 || status === 429 || retryableCodes.includes(code);
  return new BluewaveError(code, detail, { retryable, retryAfterMs, traceId, mutedUntil, fields: errors });
}

/** Whether something received is a problem of the platform. */
export function isProblem(value: unknown): value is Problem {
  if (typeof value !== 'object' || value === null) return false;
  const { code, status } = value as Partial<Problem>;
  return typeof code === 'string' && typeof status === 'number';
}

/** The network failed: nothing is known of what became of the request. */
export function offline(cause?: unknown): BluewaveError {
  return new BluewaveError('OFFLINE', 'The platform cannot be reached.', { retryable: true, cause });
}

export function timedOut(): BluewaveError {
  return new BluewaveError('TIMEOUT', 'There was no answer in time.', { retryable: true });
}

export function aborted(): BluewaveError {
  return new BluewaveError('ABORTED', 'This was called off.', { retryable: false });
}

export function closed(): BluewaveError {
  return new BluewaveError('CLOSED', 'This client is closed.', { retryable: false });
}

/** Anything thrown as a BluewaveError: one stays itself, all else is a failure of the network. */
export function toBluewaveError(thrown: unknown): BluewaveError {
  return thrown instanceof BluewaveError ? thrown : offline(thrown);
}
