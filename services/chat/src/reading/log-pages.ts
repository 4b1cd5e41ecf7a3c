import type { LogEntry } from '../log/entry.ts';
import { type Hydrated, hydrate, keyOf } from './hydrate.ts';
import type { ReadStore } from './read-store.ts';

/** Entries in seq order, with what they are shown with. */
export type LogPage = { entries: LogEntry[]; hydrated: Hydrated; hasMore: boolean };

/** Entries after a seq, as `readerId` sees them; as everybody does without one. `hasMore` always says whether there are more. */
export async function readLogPage(
  store: ReadStore,
  conversationId: string,
  readerId: string | undefined,
  after: number,
  limit: number,
): Promise<LogPage> {
  const found = await store.entriesAfter(conversationId, after, limit + 1);
  const entries = found.slice(0, limit);
  return { entries, hydrated: await hydrate(store, entries, readerId), hasMore: found.length > limit };
}

/** A page with only as many of its entries as have room, and the bytes of what is left; `hasMore` tells the rest. */
export function cutPage(page: LogPage, room: number): { page: LogPage; bytes: number } {
  let bytes = 0;
  let count = 0;
  for (const entry of page.entries) {
    const weight = weightOf(entry, page);
    if (bytes + weight > room) break;
    bytes += weight;
    count += 1;
  }
  const whole = count === page.entries.length;
  return { page: { ...page, entries: page.entries.slice(0, count), hasMore: page.hasMore || !whole }, bytes };
}

/** About the bytes of an entry as it is told: an edit is told with its target's text. */
function weightOf(entry: LogEntry, page: LogPage): number {
  const { body } = entry;
  const target =
    body.type === 'message:edited' ? page.hydrated.targets.get(keyOf({ ...entry, seq: body.target })) : entry;
  const shown = target?.body;
  if (shown?.type === 'message:new') return 300 + Buffer.byteLength(shown.text) + 400 * shown.attachments.length;
  return body.type === 'member:added' ? 300 + 40 * body.userIds.length : 300;
}
