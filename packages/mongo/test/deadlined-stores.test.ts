import { describe, expect, it } from '@jest/globals';
import { deadlinedStores, type OnCall } from '../src/deadlined-stores.ts';

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
    const bounded = deadlinedStores()('things', store, 1_000);
    expect(bounded.name).toBe('things');
    expect(bounded.size()).toBe(3);
    expect(await bounded.find('it')).toBe('found it');
    await expect(bounded.refuse()).rejects.toThrow('refused');
  });

  it('given a call that never settles, when its time is over, then it is DEADLINE_EXCEEDED', async () => {
    await expect(deadlinedStores()('things', store, 20).hang()).rejects.toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      detail: 'The platform did not answer in time.',
      cause: new Error('things.hang took longer than 20 ms'),
    });
  });

  it('given somebody who listens, when calls settle or not, then each that took time is told once', async () => {
    const told: unknown[] = [];
    const onCall: OnCall = (name, call, ms, failed) =>
      told.push([name, call, failed, ms >= (call === 'hang' ? 19 : 0)]);
    const bounded = deadlinedStores(onCall)('things', store, 20);
    expect(bounded.size()).toBe(3);
    expect(await bounded.find('it')).toBe('found it');
    await expect(bounded.refuse()).rejects.toThrow('refused');
    await expect(bounded.hang()).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    expect(told).toEqual([
      ['things', 'find', false, true],
      ['things', 'refuse', true, true],
      ['things', 'hang', true, true],
    ]);
  });
});
