import { AppError } from '@bluewave/errors/app-error';
import type { LogEntry } from '../log/entry.ts';
import { requireMembership } from './conversation-views.ts';
import type { ReadStore } from './read-store.ts';

export type Position = { before?: number; after?: number; around?: number };
export type HistoryPage = { messages: LogEntry[]; hasBefore: boolean; hasAfter: boolean };

const end = Number.MAX_SAFE_INTEGER;

/** A page of messages by seq, ascending: before, after or around a seq, else the newest. */
export async function listMessages(
  store: ReadStore,
  conversationId: string,
  userId: string,
  position: Position,
  limit: number,
): Promise<HistoryPage> {
  const given = [position.before, position.after, position.around].filter((value) => value !== undefined);
  if (given.length > 1) {
    throw new AppError('VALIDATION_FAILED', 'Give one of before, after and around.', {
      fields: [{ path: 'before', code: 'exclusive', message: 'excludes after and around' }],
    });
  }
  const page = await pageAt(store, conversationId, position, limit);
  await requireMembership(store, conversationId, userId);
  return page;
}

function pageAt(store: ReadStore, id: string, { before, after, around }: Position, limit: number) {
  if (after !== undefined) return pageAfter(store, id, after, limit);
  if (around !== undefined) return pageAround(store, id, around, limit);
  return pageBefore(store, id, before ?? end, limit);
}

async function pageBefore(store: ReadStore, id: string, before: number, limit: number): Promise<HistoryPage> {
  const found = await store.messages(id, { from: 0, to: before }, false, limit + 1);
  const messages = found.slice(0, limit).reverse();
  const hasAfter = before !== end && (await store.messages(id, { from: before - 1, to: end }, true, 1)).length > 0;
  return { messages, hasBefore: found.length > limit, hasAfter };
}

async function pageAfter(store: ReadStore, id: string, after: number, limit: number): Promise<HistoryPage> {
  const found = await store.messages(id, { from: after, to: end }, true, limit + 1);
  const hasBefore = (await store.messages(id, { from: 0, to: after + 1 }, false, 1)).length > 0;
  return { messages: found.slice(0, limit), hasBefore, hasAfter: found.length > limit };
}

async function pageAround(store: ReadStore, id: string, around: number, limit: number): Promise<HistoryPage> {
  const half = Math.floor(limit / 2);
  const [older, newer] = await Promise.all([
    store.messages(id, { from: 0, to: around }, false, half + 1),
    store.messages(id, { from: Math.max(around - 1, 0), to: end }, true, limit - half + 1),
  ]);
  return {
    messages: [...older.slice(0, half).reverse(), ...newer.slice(0, limit - half)],
    hasBefore: older.length > half,
    hasAfter: newer.length > limit - half,
  };
}
