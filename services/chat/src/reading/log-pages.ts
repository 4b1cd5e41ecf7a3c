import type { LogEntry } from '../log/entry.ts';
import type { ReadStore } from './read-store.ts';

/** Entries in seq order, with the messages that edits among them are about, in their current state. */
export type LogPage = { entries: LogEntry[]; targets: Map<string, LogEntry>; hasMore: boolean };

export function targetKey(conversationId: string, seq: number): string {
  return `${conversationId}:${seq}`;
}

/** Entries after a seq. `hasMore` always says whether there are more. */
export async function readLogPage(
  store: ReadStore,
  conversationId: string,
  after: number,
  limit: number,
): Promise<LogPage> {
  const found = await store.entriesAfter(conversationId, after, limit + 1);
  const entries = found.slice(0, limit);
  return { entries, targets: await targetsOf(store, conversationId, entries), hasMore: found.length > limit };
}

async function targetsOf(
  store: ReadStore,
  conversationId: string,
  entries: LogEntry[],
): Promise<Map<string, LogEntry>> {
  const seqs = entries.flatMap(({ body }) => (body.type === 'message:edited' ? [body.target] : []));
  if (seqs.length === 0) return new Map();
  const targets = await store.entries(conversationId, [...new Set(seqs)]);
  return new Map(targets.map((target) => [targetKey(conversationId, target.seq), target]));
}
