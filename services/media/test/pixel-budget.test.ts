import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { PixelBudget } from '../src/processing/pixel-budget.ts';

describe('given a budget of 100 pixels', () => {
  it('when any work comes, then all of it is done in order of coming and never more is held than there is', async () => {
    const someWork = fc.array(
      fc.record({
        pixels: fc.integer({ min: 0, max: 250 }),
        turns: fc.integer({ min: 0, max: 5 }),
        fails: fc.boolean(),
      }),
    );
    await fc.assert(
      fc.asyncProperty(someWork, async (works) => {
        const budget = new PixelBudget(100);
        const started: number[] = [];
        let held = 0;
        const runs = works.map(({ pixels, turns, fails }, index) =>
          budget.hold(pixels, async () => {
            started.push(index);
            held += Math.min(pixels, 100);
            expect(held).toBeLessThanOrEqual(100);
            for (let turn = 0; turn < turns; turn++) await Promise.resolve();
            held -= Math.min(pixels, 100);
            if (fails) throw new Error('failed');
          }),
        );
        const outcomes = await Promise.allSettled(runs);
        expect(outcomes.map((one) => one.status === 'rejected')).toEqual(works.map((work) => work.fails));
        expect(started).toEqual(works.map((_, index) => index));
        expect(held).toBe(0);
      }),
    );
  });
});
