import { createMemoryStore, type Store } from '@bluewave/sdk';

/** A store that another client goes on with. */
export function keptStore(): Store {
  return { ...createMemoryStore(), close: async () => undefined };
}
