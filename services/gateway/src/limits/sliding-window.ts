/**
 * A sliding window out of two fixed ones: what was used in the last window counts by the share of it that the sliding
 * one still covers. Exact at the edges, two numbers a key.
 */
export type WindowState = { window: number; current: number; previous: number };

export type RateLimit = {
  /** Names the counter; unique among limits. */
  name: string;
  /** Takings allowed in a window. */
  max: number;
  windowMs: number;
};

export type RateVerdict = {
  allowed: boolean;
  limit: number;
  /** Takings left now. */
  remaining: number;
  /** Milliseconds until another taking may be allowed (0 when allowed) . */
  retryAfterMs: number;
  /** Milliseconds until the window is empty again when nothing more is taken. */
  resetMs: number;
};

/** Takes one from a window at `now` (milliseconds). @returns the state after it and the verdict. */
export function takeFromWindow(
  limit: RateLimit,
  state: WindowState | undefined,
  now: number,
): { state: WindowState; verdict: RateVerdict } {
  const { max, windowMs } = limit;
  const window = Math.floor(now / windowMs);
  const rolled = roll(state, window);
  const elapsed = now - window * windowMs;
  const used = rolled.current + rolled.previous * (1 - elapsed / windowMs);
  const allowed = used + 1 <= max;
  const after = allowed ? { ...rolled, current: rolled.current + 1 } : rolled;
  return { state: after, verdict: verdictOf(limit, after, elapsed, allowed) };
}

/** The verdict of counts after a taking; `elapsed` milliseconds of the current window have passed. */
export function verdictOf(limit: RateLimit, state: WindowState, elapsed: number, allowed: boolean): RateVerdict {
  const { max, windowMs } = limit;
  const used = state.current + state.previous * (1 - elapsed / windowMs);
  return {
    allowed,
    limit: max,
    remaining: Math.max(0, Math.floor(max - used)),
    retryAfterMs: allowed ? 0 : waitFor(limit, state, elapsed),
    resetMs: Math.ceil(windowMs - elapsed + (state.current > 0 ? windowMs : 0)),
  };
}

function roll(state: WindowState | undefined, window: number): WindowState {
  if (state?.window === window) return state;
  return { window, current: 0, previous: state?.window === window - 1 ? state.current : 0 };
}

/** When `used + 1 <= max` holds again if nothing is taken in between. */
function waitFor({ max, windowMs }: RateLimit, { current, previous }: WindowState, elapsed: number): number {
  if (current + 1 <= max && previous > 0) {
    const share = (max - 1 - current) / previous;
    return Math.max(1, Math.ceil((1 - share) * windowMs - elapsed));
  }
  // The current window alone is full: it becomes the previous one, and then its share must shrink.
  return Math.max(1, Math.ceil(windowMs - elapsed + (1 - (max - 1) / current) * windowMs));
}
