import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type LogEnds, lookAgainMs, planOf } from '../src/retention/plan.ts';

/** Times of the entries of a log from `first` on; they may run backwards, as clocks do. */
const log = fc.record({
  first: fc.integer({ min: 1, max: 50 }),
  times: fc.array(fc.nat(100), { minLength: 1, maxLength: 40 }),
  most: fc.integer({ min: 1, max: 50 }),
  covered: fc.nat(100),
  olderThan: fc.nat(110),
});

/** What a look at the first entries of such a log shows. */
function endsOf({ first, times, most }: { first: number; times: number[]; most: number }, olderThan: number): LogEnds {
  const young = times.slice(0, most).findIndex((at) => at >= olderThan);
  return {
    ...{ first, head: first + times.length - 1, lookedTo: first + Math.min(most, times.length) - 1 },
    young: young < 0 ? undefined : { seq: first + young, at: times[young] ?? 0 },
  };
}

describe('given any log', () => {
  it('when its floor is planned, then all below is old and covered, the last entry stays, and nothing waits for nothing', () => {
    fc.assert(
      fc.property(log, ({ covered, olderThan, ...some }) => {
        const { first, times } = some;
        const ends = endsOf(some, olderThan);
        const { floor, lookFrom } = planOf(ends, covered, olderThan);
        expect(floor).toBeGreaterThanOrEqual(first);
        expect(floor).toBeLessThanOrEqual(ends.head);
        if (floor > first) expect(floor).toBeLessThanOrEqual(covered + 1);
        const taken = times.slice(0, floor - first);
        expect(taken.every((at) => at < olderThan)).toBe(true);
        // What could be taken now, but was not looked at or not covered, is seen to at once; the rest within a day.
        const next = times[floor - first] ?? 0;
        const isOpen = floor < ends.head && next < olderThan;
        if (isOpen) expect(lookFrom).toBe(olderThan);
        else expect(lookFrom).toBeGreaterThanOrEqual(olderThan);
        expect(lookFrom).toBeLessThanOrEqual(Math.max(olderThan + lookAgainMs, ...times));
      }),
      { numRuns: 2_000 },
    );
  });
});
