import { describe, expect, it } from '@jest/globals';
import { BlockCache } from '../src/people/block-cache.ts';
import type { Pair } from '../src/people/people-store.ts';

const pair: Pair = { blocker: 'b', blocked: 'a' };

/** A cache over a store whose reads answer when the test says. */
function scene() {
  let now = 1_000;
  const reads: { pairs: readonly Pair[]; answer(inForce: Pair[]): void; fail(error: Error): void }[] = [];
  const inForce = (pairs: readonly Pair[]) =>
    new Promise<Pair[]>((answer, fail) => reads.push({ pairs, answer, fail }));
  const cache = new BlockCache({ store: { inForce }, clock: () => now });
  const turn = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  const knows = async (blocked: boolean): Promise<void> => {
    const read = cache.read([pair]);
    await turn();
    reads.at(-1)?.answer(blocked ? [pair] : []);
    await read;
  };
  return { cache, reads, turn, knows, pass: (ms: number) => void (now += ms) };
}

describe('given a cache of blocks', () => {
  it('when a pair was read, then it is known for less than 5 s, and not to who wants it read later', async () => {
    const { cache, knows, pass } = scene();
    expect(cache.verdict(pair)).toBe('unknown');
    await knows(true);
    expect(cache.verdict(pair)).toBe('blocked');
    expect(cache.verdict(pair, 1_001)).toBe('unknown');
    pass(4_999);
    expect(cache.verdict(pair)).toBe('blocked');
    pass(1);
    expect(cache.verdict(pair)).toBe('unknown');
    await knows(false);
    expect(cache.verdict(pair)).toBe('open');
    expect(cache.verdict({ blocker: 'a', blocked: 'b' })).toBe('unknown');
  });

  it('when many pairs are read in one turn, then it is one query, and each is read once', async () => {
    const { cache, reads, turn } = scene();
    const pairs = Array.from({ length: 40 }, (_, index) => ({ blocker: `b${index % 20}`, blocked: 'a' }));
    const done = Promise.all(pairs.map((one) => cache.read([one])));
    await turn();
    expect(reads.map((read) => read.pairs.length)).toEqual([20]);
    reads[0]?.answer([{ blocker: 'b3', blocked: 'a' }]);
    await done;
    expect(pairs.filter((one) => cache.verdict(one) === 'blocked')).toHaveLength(2);
  });

  it('when a change is heard of while a pair is read, then what was read counts for nothing', async () => {
    const { cache, reads, turn } = scene();
    const read = cache.read([pair]);
    await turn();
    cache.forget(pair);
    reads[0]?.answer([]);
    await turn();
    expect(cache.verdict(pair)).toBe('unknown');
    expect(reads).toHaveLength(2);
    reads[1]?.answer([pair]);
    await read;
    expect(cache.verdict(pair)).toBe('blocked');
  });

  it('when a change is made here, then the pair is unknown until it is done, and readers wait for that', async () => {
    const { cache, reads, turn, knows } = scene();
    await knows(false);
    let finish = (): void => undefined;
    const change = cache.change(pair, () => new Promise<void>((resolve) => (finish = resolve)));
    expect(cache.verdict(pair)).toBe('unknown');
    const read = cache.read([pair]);
    await turn();
    expect(reads).toHaveLength(1);
    finish();
    await change;
    await turn();
    expect(reads).toHaveLength(2);
    reads[1]?.answer([pair]);
    await read;
    expect(cache.verdict(pair)).toBe('blocked');
  });

  it('when changes of one pair come at once, then they are made one after the other, failed ones too', async () => {
    const { cache } = scene();
    const order: string[] = [];
    const make = (name: string) => async () => {
      order.push(`${name} begins`);
      await new Promise((resolve) => setImmediate(resolve));
      order.push(`${name} ends`);
      if (name === 'one') throw new Error(name);
    };
    const [one, two] = await Promise.allSettled([cache.change(pair, make('one')), cache.change(pair, make('two'))]);
    expect([one.status, two.status]).toEqual(['rejected', 'fulfilled']);
    expect(order).toEqual(['one begins', 'one ends', 'two begins', 'two ends']);
  });

  it('when the store is away, then whoever reads is told, and the next one reads again', async () => {
    const { cache, reads, turn, knows } = scene();
    const read = Promise.allSettled([cache.read([pair])]);
    await turn();
    reads[0]?.fail(new Error('away'));
    expect(await read).toMatchObject([{ status: 'rejected', reason: { message: 'away' } }]);
    expect(cache.verdict(pair)).toBe('unknown');
    await knows(true);
    expect(cache.verdict(pair)).toBe('blocked');
  });
});
