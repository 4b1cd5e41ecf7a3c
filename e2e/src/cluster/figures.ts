/** The value below which `percent` of sorted values lie, rounded to a tenth; 0 of none. */
export function percentile(sorted: readonly number[], percent: number): number {
  const index = Math.min(sorted.length - 1, Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1));
  return Math.round((sorted[index] ?? 0) * 10) / 10;
}

/** A figure, the most that it may be, and whether it is. */
export type Figure = { value: number; atMost: number; met: boolean };

export const figure = (value: number, atMost: number): Figure => ({ value, atMost, met: value <= atMost });

/** The names of the goals that were missed. */
export const missed = (figures: Record<string, Figure>): string[] =>
  Object.entries(figures)
    .filter(([, { met }]) => !met)
    .map(([name]) => name);
