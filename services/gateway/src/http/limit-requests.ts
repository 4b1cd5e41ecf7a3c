import type { Response } from 'express';
import { rateLimited, type RateLimiter, type WhenUnreadable } from '../limits/rate-limiter.ts';
import type { RateLimit } from '../limits/sliding-window.ts';
import { setRateHeaders } from './rate-headers.ts';
import { stateOf } from './request-state.ts';

/** Takes one of a limit and tells the caller what is left. @throws RATE_LIMITED, UNAVAILABLE. */
export async function takeOrRefuse(
  limiter: RateLimiter,
  limit: RateLimit,
  subject: string,
  response: Response,
  whenUnreadable: WhenUnreadable = 'local',
): Promise<void> {
  const verdict = await limiter.take(limit, subject, whenUnreadable);
  if (!verdict.allowed) throw rateLimited(verdict);
  if (!limiter.enabled) return;
  const state = stateOf(response);
  if (state.verdict && state.verdict.remaining <= verdict.remaining) return;
  state.verdict = verdict;
  setRateHeaders(response, verdict);
}
