/**
 * Runs at most `max` of the works given to it at once, the rest in order. After an outage thousands of feeds have
 * something to read: the log must not get all of that at once.
 */
export function limited(max: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (work) => {
    if (running >= max) await new Promise<void>((resolve) => void waiting.push(resolve));
    else running += 1;
    try {
      return await work();
    } finally {
      // A place is handed over, so that nobody slips in before those who wait.
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  };
}
