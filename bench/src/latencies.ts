/** Figures of a set of durations, in milliseconds with two digits. */
export type Percentiles = { count: number; p50: number; p95: number; p99: number; max: number };

export function percentiles(durations: number[]): Percentiles {
  const sorted = Float64Array.from(durations).sort();
  const at = (share: number): number => {
    const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
    return Math.round(value * 100) / 100;
  };
  return { count: sorted.length, p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
}
