import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { takeFromWindow, type WindowState } from '../../src/limits/sliding-window.ts';

const limit = { name: 'test', max: 5, windowMs: 1_000 };

/** Takes at each of these times; @returns those at which it was allowed. */
function run(times: readonly number[], max = limit.max): number[] {
  let state: WindowState | undefined;
  return times.filter((now) => {
    const taken = takeFromWindow({ ...limit, max }, state, now);
    state = taken.state;
    return taken.verdict.allowed;
  });
}

describe('the sliding window', () => {
  it('given any times of asking, when taken, then no window of two halves lets through more than allowed', () => {
    const times = fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 60 });
    fc.assert(
      fc.property(times, fc.integer({ min: 1, max: 10 }), (gaps, max) => {
        let now = 0;
        const allowed = run(
          gaps.map((gap) => (now += gap)),
          max,
        );
        for (const start of allowed) {
          const fixed = Math.floor(start / 1_000);
          const inFixed = allowed.filter((time) => Math.floor(time / 1_000) === fixed).length;
          expect(inFixed).toBeLessThanOrEqual(max);
        }
      }),
    );
  });

  it('given a burst at the end of a window, when the next begins, then it is not allowed again at once', () => {
    expect(run([990, 991, 992, 993, 994, 995, 1_001, 1_002])).toEqual([990, 991, 992, 993, 994]);
  });

  it('given a refusal, when asked again after the time it told, then it is allowed, and not before', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 999 }),
        fc.integer({ min: 1, max: 8 }),
        fc.nat(8),
        (offset, max, before) => {
          const wide = { ...limit, max };
          let state: WindowState | undefined = { window: 9, current: Math.min(before, max), previous: 0 };
          let now = 10_000 + offset;
          for (let taken = 0; taken <= max; taken += 1) {
            const { state: next, verdict } = takeFromWindow(wide, state, now);
            state = next;
            if (verdict.allowed) continue;
            now += verdict.retryAfterMs;
            expect(takeFromWindow(wide, state, now).verdict.allowed).toBe(true);
            if (verdict.retryAfterMs > 2) expect(takeFromWindow(wide, state, now - 2).verdict.allowed).toBe(false);
            return;
          }
        },
      ),
    );
  });
});
