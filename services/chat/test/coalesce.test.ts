import { describe, expect, it } from '@jest/globals';
import { createCoalescer } from '../src/log/coalesce.ts';

/** Work that ends when it is told to. */
function steps() {
  const begun: ((error?: Error) => void)[] = [];
  const work = () => new Promise<void>((resolve, reject) => begun.push((error) => (error ? reject(error) : resolve())));
  return { begun, work };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('createCoalescer', () => {
  it('given work under way, when many ask for it, then one run follows and serves them all', async () => {
    const coalesce = createCoalescer();
    const { begun, work } = steps();
    const done: string[] = [];
    const first = coalesce('a', work).then(() => done.push('first'));
    const rest = ['second', 'third', 'fourth'].map((name) => coalesce('a', work).then(() => done.push(name)));
    expect(begun).toHaveLength(1);
    begun[0]?.();
    await first;
    await turn();
    expect(begun).toHaveLength(2);
    expect(done).toEqual(['first']);
    begun[1]?.();
    await Promise.all(rest);
    expect(done).toEqual(['first', 'second', 'third', 'fourth']);
    expect(begun).toHaveLength(2);
  });

  it('given a run that fails, when others wait for the next, then only its own caller is told', async () => {
    const coalesce = createCoalescer();
    const { begun, work } = steps();
    const first = coalesce('a', work);
    const second = coalesce('a', work);
    begun[0]?.(new Error('away'));
    await expect(first).rejects.toThrow('away');
    await turn();
    begun[1]?.();
    await expect(second).resolves.toBeUndefined();
    const third = coalesce('a', work);
    expect(begun).toHaveLength(3);
    begun[2]?.();
    await third;
  });

  it('given different keys, when both are asked for, then they run side by side', async () => {
    const coalesce = createCoalescer();
    const { begun, work } = steps();
    const both = [coalesce('a', work), coalesce('b', work)];
    expect(begun).toHaveLength(2);
    for (const end of begun) end();
    await Promise.all(both);
  });
});
