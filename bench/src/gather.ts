/** Does something `count` times, at most `width` at once. @returns the results in order. */
export async function inParallel<T>(count: number, width: number, task: (index: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) results[index] = await task(index);
  };
  await Promise.all(Array.from({ length: Math.min(width, count) }, work));
  return results;
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until something is so. @throws Error when that takes longer than `ms` */
export async function until(what: string, isSo: () => boolean, ms: number): Promise<void> {
  const end = performance.now() + ms;
  while (!isSo()) {
    if (performance.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
    await pause(20);
  }
}

export const median = (values: number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/** To so many digits after the point. */
export const rounded = (value: number, digits = 2): number => Math.round(value * 10 ** digits) / 10 ** digits;
