import { notFound } from '@bluewave/errors/app-error';
import { type RoomQuery, roomQueryOf } from '../conversations/room-listing.ts';
import { type ConversationView, viewsOf } from './conversation-views.ts';
import type { ReadStore, SharedInfo } from './read-store.ts';

/** A room as somebody sees it who is no member. */
export type RoomPreview = { shared: SharedInfo; head: number };

export type RoomPage = { rooms: (RoomPreview | ConversationView)[]; nextCursor: string };

const everyRoom: RoomQuery = { keys: [], longWords: [] };

/** @throws NOT_FOUND for what is no room. */
export async function previewOf(store: ReadStore, conversationId: string): Promise<RoomPreview> {
  const [shared, [head]] = await Promise.all([store.room(conversationId), store.heads([conversationId])]);
  if (!shared) throw notFound();
  return { shared, head: head?.seq ?? 0 };
}

/**
 * Rooms whose names have words that begin like those of the query, all of them for an empty one; those of the user as
 * their member sees them. A page is short of those that keep the user out.
 */
export async function discoverRooms(
  store: ReadStore,
  request: { userId: string; query: string; limit: number; cursor: string },
  now: number,
): Promise<RoomPage> {
  const { userId, limit } = request;
  const query = request.query.trim() === '' ? everyRoom : roomQueryOf(request.query);
  if (!query) return { rooms: [], nextCursor: '' };
  const found = await store.rooms(query, placeOf(request.cursor), limit + 1);
  const page = found.slice(0, limit);
  const ids = page.map(({ shared }) => shared.conversationId);
  const [heads, memberships, keptOut] = await Promise.all([
    store.heads(ids),
    store.membershipsIn(userId, ids),
    store.keptOutOf(userId, ids, now),
  ]);
  const own = await viewsOf(store, memberships, heads);
  const views = new Map(own.map((view) => [view.shared.conversationId, view]));
  const headOf = new Map(heads.map(({ conversationId, seq }) => [conversationId, seq]));
  const last = page.at(-1);
  return {
    rooms: page
      .filter(({ shared }) => !keptOut.has(shared.conversationId))
      .map(
        ({ shared }) => views.get(shared.conversationId) ?? { shared, head: headOf.get(shared.conversationId) ?? 0 },
      ),
    nextCursor: found.length > limit && last ? Buffer.from(last.place).toString('base64url') : '',
  };
}

/** The place that a cursor names. */
function placeOf(cursor: string): string {
  return Buffer.from(cursor, 'base64url').toString('utf8');
}
