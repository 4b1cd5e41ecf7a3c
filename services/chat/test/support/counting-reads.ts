import type { ReadStore } from '../../src/reading/read-store.ts';

/** A read store that tells what was asked of it: each read is one query. */
export function countingReads(store: ReadStore): { store: ReadStore; asked: string[] } {
  const asked: string[] = [];
  const counted = Object.entries<(...parameters: never[]) => unknown>(store).map(([name, read]) => [
    name,
    (...parameters: never[]) => {
      asked.push(name);
      return read(...parameters);
    },
  ]);
  return { store: Object.fromEntries(counted) as ReadStore, asked };
}
