import { describe, expect, it } from '@jest/globals';
import { SlowStart, slowStartMs } from '../../src/clients/slow-start.ts';

const keys = Array.from({ length: 1_000 }, (_, index) => `conversation ${index}`);

function createSlowStart() {
  let time = 0;
  const slowStart = new SlowStart(() => time);
  const pass = (ms: number): void => void (time += ms);
  const readyFor = (name: string, names: string[]) => keys.filter((key) => slowStart.ready(key, names).includes(name));
  return { slowStart, pass, readyFor };
}

describe('a replica that joins others', () => {
  it('given one that has served for long, when another joins, then keys go over to it bit by bit and stay', () => {
    const { slowStart, pass, readyFor } = createSlowStart();
    slowStart.joined('old');
    pass(slowStartMs);
    slowStart.joined('new');
    const shares: number[] = [];
    let before: string[] = [];
    for (let step = 0; step <= 4; step += 1) {
      const ready = readyFor('new', ['old', 'new']);
      expect(ready).toEqual(expect.arrayContaining(before));
      expect(readyFor('old', ['old', 'new'])).toEqual(keys);
      shares.push(ready.length / keys.length);
      before = ready;
      pass(slowStartMs / 4);
    }
    expect(shares[0]).toBe(0);
    for (const [step, share] of shares.entries()) expect(Math.abs(share - step / 4)).toBeLessThan(0.05);
  });

  it('given a caller that meets all of them at once, then each has its share at once', () => {
    const { slowStart, pass, readyFor } = createSlowStart();
    slowStart.joined('one');
    pass(slowStartMs - 1);
    slowStart.joined('two');
    expect(readyFor('two', ['one', 'two'])).toEqual(keys);
  });

  it('given that nobody else is left, then the new one takes everything', () => {
    const { slowStart, pass, readyFor } = createSlowStart();
    slowStart.joined('old');
    pass(slowStartMs);
    slowStart.joined('new');
    expect(readyFor('new', ['new'])).toEqual(keys);
  });

  it('given that all had gone, when they come back, then they are met at once', () => {
    const { slowStart, pass, readyFor } = createSlowStart();
    slowStart.joined('one');
    pass(slowStartMs);
    slowStart.left('one', false);
    slowStart.joined('one');
    slowStart.joined('two');
    expect(readyFor('two', ['one', 'two'])).toEqual(keys);
  });
});
