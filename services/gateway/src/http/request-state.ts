import type { Response } from 'express';
import type { RateVerdict } from '../limits/sliding-window.ts';

/** What is known of a request while it is served; kept beside the response. */
export type RequestState = {
  traceId: string;
  /** Milliseconds of the monotonic clock. */
  startedAt: number;
  /** Pattern of the route, e.g. `/api/v1/users/:id`; empty until one matched. */
  route: string;
  userId: string | undefined;
  /** Milliseconds of the request's deadline that finding out who asks has taken. */
  spentMs: number;
  /** The tightest rate limit that was asked so far. */
  verdict: RateVerdict | undefined;
};

const key = 'bluewave';

export function startState(response: Response, state: RequestState): void {
  response.locals[key] = state;
}

export function stateOf(response: Response): RequestState {
  return response.locals[key] as RequestState;
}
