import { describe, expect, it } from '@jest/globals';
import { deadlined } from '../src/deadlined.ts';

describe('a store with deadlines', () => {
  const never = new Promise<string>(() => undefined);
  const store = {
    name: 'things',
    size: () => 3,
    find: (id: string) => Promise.resolve(`found ${id}`),
    refuse: () => Promise.reject(new Error('refused')),
    hang: () => never,
  };

  it('given calls that settle, when they are made, then they settle as they are', async () => {
    const bounded = deadlined(store, 1_000);
    expect(bounded.name).toBe('things');
    expect(bounded.size()).toBe(3);
    expect(await bounded.find('it')).toBe('found it');
    await expect(bounded.refuse()).rejects.toThrow('refused');
  });

  it('given a call that never settles, when its time is over, then it is DEADLINE_EXCEEDED', async () => {
    await expect(deadlined(store, 20).hang()).rejects.toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      detail: 'The platform did not answer in time.',
      cause: new Error('hang of a store took longer than 20 ms'),
    });
  });
});
