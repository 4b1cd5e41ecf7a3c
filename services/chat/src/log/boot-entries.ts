import type { LogEntry } from './entry.ts';
import type { EntryStore } from './entry-store.ts';

const pageSize = 200;

/**
 * Everything a boot wrote from a time on, in pages by time. Entries of one moment are never parted, so a page goes on
 * exactly where the one before ended, however many share its last moment and however long the whole is.
 * Rejects when the store is away.
 */
export async function* entriesOfBoot(
  store: EntryStore,
  boot: string,
  fromAt: number,
  size = pageSize,
): AsyncGenerator<LogEntry[]> {
  let from = fromAt;
  for (let limit = size; ;) {
    const found = await store.readByBoot(boot, from, limit);
    const last = found.at(-1);
    if (!last) return;
    if (found.length < limit) {
      yield found;
      return;
    }
    const whole = found.filter(({ at }) => at < last.at);
    if (whole.length === 0) {
      limit *= 2;
      continue;
    }
    yield whole;
    from = last.at;
    limit = size;
  }
}
