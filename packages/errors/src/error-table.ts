/**
 * The one table of everything that can go wrong for a caller: code -> HTTP status, gRPC status, whether the same
 * request may succeed later, and a title for people. A new way to fail is a new row here.
 *
 * `grpc` numbers are those of google.rpc.Code. `retryable` means: repeat the same request (same clientMsgId or
 * Idempotency-Key) after `retryAfterMs` or a short back-off.
 */
export const errorTable = {
  VALIDATION_FAILED: { http: 400, grpc: 3, retryable: false, title: 'The request does not match its schema' },
  MALFORMED_JSON: { http: 400, grpc: 3, retryable: false, title: 'The body is not valid JSON' },
  UNKNOWN_EVENT: { http: 400, grpc: 12, retryable: false, title: 'No such event' },
  EMPTY_MESSAGE: { http: 400, grpc: 3, retryable: false, title: 'A message needs text or an attachment' },
  INVALID_CODE: { http: 401, grpc: 16, retryable: false, title: 'The code is wrong, used or expired' },
  INVALID_CREDENTIALS: { http: 401, grpc: 16, retryable: false, title: 'The identifier or the password is wrong' },
  TOTP_REQUIRED: { http: 401, grpc: 16, retryable: false, title: 'A second factor is needed' },
  UNAUTHENTICATED: { http: 401, grpc: 16, retryable: false, title: 'An access token is needed' },
  TOKEN_EXPIRED: { http: 401, grpc: 16, retryable: false, title: 'The access token has expired' },
  TOKEN_INVALID: { http: 401, grpc: 16, retryable: false, title: 'The token is not valid' },
  REFRESH_TOKEN_REUSED: { http: 401, grpc: 16, retryable: false, title: 'The refresh token was used before' },
  SESSION_REVOKED: { http: 401, grpc: 16, retryable: false, title: 'The session has ended' },
  FORBIDDEN: { http: 403, grpc: 7, retryable: false, title: 'You may not do this' },
  ACCOUNT_DISABLED: { http: 403, grpc: 7, retryable: false, title: 'The account is deactivated' },
  ORIGIN_REFUSED: { http: 403, grpc: 7, retryable: false, title: 'This origin is not allowed' },
  NOT_FOUND: { http: 404, grpc: 5, retryable: false, title: 'Not found' },
  METHOD_NOT_ALLOWED: { http: 405, grpc: 12, retryable: false, title: 'This method is not allowed here' },
  CONFLICT: { http: 409, grpc: 9, retryable: false, title: 'The current state forbids this' },
  EMAIL_TAKEN: { http: 409, grpc: 6, retryable: false, title: 'This e-mail address is taken' },
  USERNAME_TAKEN: { http: 409, grpc: 6, retryable: false, title: 'This username is taken' },
  PHONE_TAKEN: { http: 409, grpc: 6, retryable: false, title: 'This phone number is taken' },
  IDEMPOTENCY_MISMATCH: { http: 409, grpc: 6, retryable: false, title: 'This id was used for another request' },
  REQUEST_IN_PROGRESS: { http: 409, grpc: 10, retryable: true, title: 'The first request with this key is under way' },
  OWNER_MUST_TRANSFER: { http: 409, grpc: 9, retryable: false, title: 'The last owner must transfer ownership first' },
  MEMBER_LIMIT_REACHED: { http: 409, grpc: 9, retryable: false, title: 'The conversation is full' },
  EDIT_WINDOW_CLOSED: { http: 409, grpc: 9, retryable: false, title: 'The message can no longer be edited' },
  MESSAGE_DELETED: { http: 409, grpc: 9, retryable: false, title: 'The message was deleted' },
  CONVERSATION_DELETED: { http: 409, grpc: 9, retryable: false, title: 'The conversation was deleted' },
  UPLOAD_NOT_CONFIRMED: { http: 409, grpc: 9, retryable: false, title: 'The upload has not been confirmed' },
  UPLOAD_MISSING: { http: 409, grpc: 9, retryable: false, title: 'Nothing was uploaded to this URL' },
  UPLOAD_REJECTED: { http: 409, grpc: 9, retryable: false, title: 'The upload was refused' },
  UPLOAD_EXPIRED: { http: 410, grpc: 9, retryable: false, title: 'The upload has expired' },
  PAYLOAD_TOO_LARGE: { http: 413, grpc: 8, retryable: false, title: 'The request is too large' },
  FILE_TOO_LARGE: { http: 413, grpc: 3, retryable: false, title: 'The file is larger than allowed' },
  UNSUPPORTED_MEDIA_TYPE: { http: 415, grpc: 3, retryable: false, title: 'This type of content is not accepted' },
  RATE_LIMITED: { http: 429, grpc: 8, retryable: true, title: 'Too many requests' },
  ACCOUNT_LOCKED: { http: 429, grpc: 8, retryable: true, title: 'Too many failed attempts' },
  TOO_MANY_CONNECTIONS: { http: 429, grpc: 8, retryable: true, title: 'Too many open connections' },
  INTERNAL: { http: 500, grpc: 13, retryable: true, title: 'Something went wrong on our side' },
  UNAVAILABLE: { http: 503, grpc: 14, retryable: true, title: 'A part of the platform is unavailable' },
  DEADLINE_EXCEEDED: { http: 504, grpc: 4, retryable: true, title: 'The platform did not answer in time' },
} as const satisfies Record<string, { http: number; grpc: number; retryable: boolean; title: string }>;

/** A machine-readable reason, UPPER_SNAKE: what went wrong, stable across versions. */
export type ErrorCode = keyof typeof errorTable;

/** True when `code` names a row of the table. */
export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(errorTable, code);
}
