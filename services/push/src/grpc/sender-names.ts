import { LRUCache } from 'lru-cache';

const maxNames = 20_000;
/** A name is at most this old, should the word of its change be lost. */
const keptMs = 10 * 60_000;

/** Display names of users, kept until their profile changes. */
export type SenderNames = {
  of(userId: string): Promise<string | undefined>;
  /** Forgets a user whose profile changed. */
  forget(userId: string): void;
  /** Forgets all: changes may have been missed. */
  forgetAll(): void;
};

/** @param fetch the name as it is now; undefined for a deleted account. */
export function createSenderNames(fetch: (userId: string) => Promise<string | undefined>): SenderNames {
  const names = new LRUCache<string, { name: string | undefined }>({ max: maxNames, ttl: keptMs });
  // Who changes while it is fetched must not be kept.
  let changes = 0;
  return {
    of: async (userId) => {
      const known = names.get(userId);
      if (known) return known.name;
      const seen = changes;
      const name = await fetch(userId);
      if (seen === changes) names.set(userId, { name });
      return name;
    },
    forget: (userId) => {
      changes += 1;
      names.delete(userId);
    },
    forgetAll: () => {
      changes += 1;
      names.clear();
    },
  };
}
