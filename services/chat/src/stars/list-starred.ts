import type { LogEntry } from '../log/entry.ts';
import type { ReadStore } from '../reading/read-store.ts';
import { keyOf } from '../reading/hydrate.ts';
import type { Star, StarStore } from './star-store.ts';

/**
 * A page of what the user has starred, the last star first: messages that are still there and that the user may still
 * open, so that a page may hold fewer than were asked for. The cursor is where the page ended.
 */
export async function listStarred(
  deps: { stars: StarStore; reads: ReadStore },
  userId: string,
  limit: number,
  cursor: string,
): Promise<{ messages: LogEntry[]; nextCursor: string }> {
  const found = await deps.stars.starred(userId, parsePlace(cursor), limit + 1);
  const page = found.slice(0, limit);
  const entries = new Map((await deps.reads.entriesAt(page)).map((entry) => [keyOf(entry), entry]));
  // Asked last, so that nothing that is told is younger than an acknowledged removal of the reader.
  const openable = await deps.reads.memberOf(userId, [...new Set(page.map(({ conversationId }) => conversationId))]);
  const messages = page.flatMap((star) => {
    const entry = entries.get(keyOf(star));
    const firstSeq = openable.get(star.conversationId);
    const isThere = entry?.body.type === 'message:new' && entry.body.deletedAt === null;
    return isThere && firstSeq !== undefined && star.seq >= firstSeq ? [entry] : [];
  });
  const last = page.at(-1);
  return { messages, nextCursor: found.length > limit && last ? placeOf(last) : '' };
}

function placeOf({ at, conversationId, seq }: Star): string {
  return `${at}.${conversationId}.${seq}`;
}

/** Null for none, and for what is no cursor of ours. */
function parsePlace(cursor: string): Star | null {
  const [, at, conversationId, seq] = /^(\d{1,15})\.([0-9a-f-]{36})\.(\d{1,15})$/.exec(cursor) ?? [];
  if (at === undefined || conversationId === undefined || seq === undefined) return null;
  return { at: Number(at), conversationId, seq: Number(seq), on: true };
}
