import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { AppError } from '@bluewave/errors/app-error';
import fc from 'fast-check';
import type { SearchIndex } from '../src/search/search-index.ts';
import { type CollectionsForTest, collectionsForTest } from './support/collections-for-test.ts';
import { SearchWorld } from './support/search-world.ts';

let opened: CollectionsForTest;
beforeAll(async () => {
  opened = await collectionsForTest();
}, 60_000);
afterAll(() => opened?.close());

const outOfTime = () => Promise.reject(new AppError('DEADLINE_EXCEEDED', 'out of time'));
const never = () => new Promise<never>(() => undefined);

/** An index some of whose answers take too long; they are counted from 0. */
function slowIndex(index: SearchIndex, isSlow: (answer: number) => boolean, slow: () => Promise<never>): SearchIndex {
  let answers = 0;
  return { ...index, candidates: (request) => (isSlow(answers++) ? slow() : index.candidates(request)) };
}

let world: SearchWorld;
beforeEach(async () => {
  world = new SearchWorld(opened.collections, 1_000);
  for (const history of ['all', 'joined'] as const) await world.open(history);
  for (let count = 0; count < 40; count += 1) await world.send(count, count, 'two common words', 60_000);
  for (const conversation of [0, 1]) await world.indexSome(conversation, 256, false);
}, 60_000);

const idsOf = () => world.readable(0).map(({ id }) => id);

describe('given a search that its index is too slow for', () => {
  it.each([
    ['rejects its second page since the time is up', outOfTime],
    ['never gives its second page', never],
  ])('when the index %s, then what is certain comes with a cursor, and the rest from there', async (_, slow) => {
    // The first answer is that there are too many chunks to take them all at once.
    const index = slowIndex(world.index, (answer) => answer > 1, slow);
    const first = await world.page(0, 'common words', { index, withinMs: 3_000 });
    expect(first.ids.length).toBeGreaterThan(0);
    expect(first.ids.length).toBeLessThan(40);
    expect(first.nextCursor).not.toBe('');
    const second = await world.page(0, 'common words', { cursor: first.nextCursor });
    expect([...first.ids, ...second.ids]).toEqual(idsOf());
    expect(second.nextCursor).toBe('');
  });

  it.each([
    ['rejects', outOfTime],
    ['is silent', never],
  ])('when the index %s from the beginning, then the time is told to be over', async (_, slow) => {
    const index = slowIndex(world.index, () => true, slow);
    const asked = world.page(0, 'common words', { index, withinMs: 1_000 });
    await expect(asked).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  });

  it('when the index fails for another reason, then that reason is told', async () => {
    const index = slowIndex(
      world.index,
      () => true,
      () => Promise.reject(new AppError('UNAVAILABLE', 'away')),
    );
    await expect(world.page(0, 'common', { index })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('when any of its answers come too late, then the pages together hold everything once, newest first', async () => {
    const lateness = fc.array(fc.array(fc.boolean(), { maxLength: 6 }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(lateness, fc.integer({ min: 1, max: 50 }), async (pages, limit) => {
        const ids: string[] = [];
        let cursor: string | undefined;
        for (let tries = 0; cursor !== ''; tries += 1) {
          const index = slowIndex(world.index, (answer) => pages[tries]?.[answer] ?? false, outOfTime);
          try {
            const page = await world.page(0, 'common', { index, cursor: cursor ?? '', limit });
            ids.push(...page.ids);
            cursor = page.nextCursor;
          } catch (error) {
            // Not even a beginning: it is asked again from where it was.
            expect(error).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
          }
        }
        expect(ids).toEqual(idsOf());
      }),
      { numRuns: 25 },
    );
  }, 120_000);
});
