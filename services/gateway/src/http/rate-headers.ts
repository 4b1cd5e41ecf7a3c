import type { Response } from 'express';
import type { RateVerdict } from '../limits/sliding-window.ts';

/** How much of a rate limit is left, in the fields of the IETF draft; seconds. */
export function setRateHeaders(response: Response, verdict: RateVerdict): void {
  response.set(rateHeadersOf(verdict));
}

export function rateHeadersOf(verdict: RateVerdict): Record<string, string> {
  return {
    'ratelimit-limit': String(verdict.limit),
    'ratelimit-remaining': String(verdict.remaining),
    'ratelimit-reset': String(Math.ceil((verdict.allowed ? verdict.resetMs : verdict.retryAfterMs) / 1_000)),
  };
}
