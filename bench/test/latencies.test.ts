import { describe, expect, it } from '@jest/globals';
import { cpuPerMessage } from '../src/cpu.ts';
import { percentiles } from '../src/latencies.ts';

describe('figures of a bench', () => {
  it('given durations in any order, then percentiles are of the sorted ones', () => {
    const durations = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect(percentiles(durations)).toEqual({ count: 100, p50: 51, p95: 96, p99: 100, max: 100 });
  });

  it('given nothing, then all figures are 0', () => {
    expect(percentiles([])).toEqual({ count: 0, p50: 0, p95: 0, p99: 0, max: 0 });
  });

  it('given CPU seconds before and after, then they are shared among the messages', () => {
    const before = new Map([
      ['chat', 1],
      ['mongod', 2],
    ]);
    const after = new Map([
      ['chat', 1.5],
      ['mongod', 2.25],
    ]);
    expect(cpuPerMessage(before, after, 10_000)).toEqual({ total: 75, byProcess: { chat: 50, mongod: 25 } });
  });
});
