import type { SendOutcome } from '../notifications/provider.ts';
import type { RawAnswer } from './watched-agent.ts';

const errorType = 'type.googleapis.com/google.firebase.fcm.v1.FcmError';
const longestRetryAfterMs = 3_600_000;

/**
 * What an answer of FCM v1 means (https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode). Read from the answer
 * itself, since the SDK gives a wrong project (404 without a code) the same error as a dead token.
 * @param now milliseconds since the epoch, for a `Retry-After` that is a date.
 */
export function outcomeOf(answer: RawAnswer, now: number): SendOutcome {
  if (answer.status >= 200 && answer.status < 300) return { kind: 'accepted' };
  const code = errorCodeOf(answer.body);
  const reason = code ?? `HTTP ${answer.status}`;
  switch (code) {
    case 'UNREGISTERED':
      return { kind: 'unregistered' };
    case 'INVALID_ARGUMENT':
    case 'SENDER_ID_MISMATCH':
      return { kind: 'refused', reason };
    case 'QUOTA_EXCEEDED':
      return { kind: 'quota', retryAfterMs: retryAfterMs(answer.retryAfter, now) };
    default:
      if (answer.status === 429) return { kind: 'quota', retryAfterMs: retryAfterMs(answer.retryAfter, now) };
      if (answer.status === 400) return { kind: 'refused', reason };
      return { kind: 'failed', reason };
  }
}

type ErrorBody = { error?: { details?: { '@type'?: unknown; errorCode?: unknown }[] } };

/** FCM's own code in an error body; undefined when there is none. */
function errorCodeOf(body: string): string | undefined {
  let parsed: ErrorBody | null;
  try {
    parsed = JSON.parse(body) as ErrorBody | null;
  } catch {
    return undefined;
  }
  const details = parsed?.error?.details;
  if (!Array.isArray(details)) return undefined;
  const code = details.find((detail) => detail?.['@type'] === errorType)?.errorCode;
  return typeof code === 'string' ? code : undefined;
}

function retryAfterMs(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1_000 : Date.parse(header) - now;
  return Number.isFinite(ms) && ms >= 0 ? Math.min(ms, longestRetryAfterMs) : undefined;
}
