type Line = { running: Promise<void> | undefined; next: Promise<void> | undefined };

/**
 * Runs work that brings something up to date, one run of a key at a time. Who asks while one is under way shares the
 * run after it, which begins later than everything that any of them did before. A failed run is told to those who wait for it.
 */
export function createCoalescer(): (key: string, work: () => Promise<void>) => Promise<void> {
  const lines = new Map<string, Line>();
  const start = (key: string, line: Line, work: () => Promise<void>): Promise<void> => {
    const run = work().finally(() => {
      line.running = undefined;
      if (!line.next) lines.delete(key);
    });
    line.running = run;
    return run;
  };
  return (key, work) => {
    const line = lines.get(key) ?? { running: undefined, next: undefined };
    lines.set(key, line);
    if (!line.running && !line.next) return start(key, line, work);
    const begin = (): Promise<void> => {
      line.next = undefined;
      return start(key, line, work);
    };
    line.next ??= (line.running ?? Promise.resolve()).then(begin, begin);
    return line.next;
  };
}
