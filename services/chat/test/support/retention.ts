import { randomUUID } from 'node:crypto';
import type { SearchIndex } from '../../src/search/search-index.ts';
import { Retention, type RetentionOptions, retentionSizes } from '../../src/retention/retention.ts';
import type { JobLeases, RetentionStore } from '../../src/retention/retention-store.ts';
import type { ChatCollections } from '../../src/storage/collections.ts';
import { createMongoJobLeases } from '../../src/storage/mongo-job-leases.ts';
import { createMongoRetentionStore } from '../../src/storage/mongo-retention-store.ts';
import { createMongoSearchIndex } from '../../src/storage/mongo-search-index.ts';
import { testLog } from './environment.ts';

/** What retention does its work with. */
export type RetentionParts = {
  store: RetentionStore;
  leases: JobLeases;
  index: Pick<SearchIndex, 'coveredTo' | 'forget'>;
};

export function retentionParts(collections: ChatCollections, archiveMs = 0): RetentionParts {
  return {
    store: createMongoRetentionStore(collections, archiveMs),
    leases: createMongoJobLeases(collections),
    index: createMongoSearchIndex(collections),
  };
}

/** Retention that runs when it is told to, and takes what was written before a time; nothing has to settle. */
export function retentionBefore(parts: RetentionParts, at: number, rest: Partial<RetentionOptions> = {}): Retention {
  const now = Date.now();
  return new Retention({
    ...parts,
    ...{ keepMs: now - at, clock: () => now, sweepMs: 1e9, random: () => 0.5, holder: randomUUID(), log: testLog },
    sizes: { ...retentionSizes, settleMs: 0 },
    onRun: () => undefined,
    onArchived: () => undefined,
    ...rest,
  });
}

const death = 'died';

/** Waits for what a process does that may die in it. Whatever else fails it is told. */
export async function upToDeath(work: Promise<void>): Promise<void> {
  await work.catch((error: unknown) => {
    if (!(error instanceof Error) || error.message !== death) throw error;
  });
}

/** Parts of a process that dies at one of its accesses: that one is carried out or not, and nothing after it is. */
export function dyingParts(parts: RetentionParts, access: number, when: 'before' | 'after') {
  let accesses = 0;
  const watched = <T extends object>(part: T): T =>
    Object.fromEntries(
      Object.entries(part).map(([name, member]: [string, (...parameters: unknown[]) => Promise<unknown>]) => [
        name,
        async (...parameters: unknown[]) => {
          accesses += 1;
          const isLast = accesses === access;
          if (accesses > access || (isLast && when === 'before')) throw new Error(death);
          const result = await member(...parameters);
          if (isLast) throw new Error(death);
          return result;
        },
      ]),
    ) as T;
  const { store, leases, index } = parts;
  return {
    parts: { store: watched(store), leases: watched(leases), index: watched(index) },
    /** Whether it lived to its end. */
    lived: () => accesses < access,
  };
}
