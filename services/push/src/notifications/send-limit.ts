/** Runs at most `limit` pieces of work at once; the rest wait their turn. */
export function createLimit(limit: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (work) => {
    if (running >= limit) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await work();
    } finally {
      // The place passes on; it is given up only when nobody waits for it.
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  };
}
