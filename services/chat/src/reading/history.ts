import { AppError } from '@bluewave/errors/app-error';
import type { LogEntry } from '../log/entry.ts';
import { requireMembership } from './conversation-views.ts';
import type { ReadStore } from './read-store.ts';

export type Position = { before?: number; after?: number; around?: number };
export type HistoryPage = { messages: LogEntry[]; hasBefore: boolean; hasAfter: boolean };

const end = Number.MAX_SAFE_INTEGER;

/**
 * A page of messages by seq, ascending: before, after or around a seq, else the newest. Joins, leaves and renames are
 * among them, told as system messages.
 */
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
  const { firstSeq } = await requireMembership(store, conversationId, userId);
  const page = await pageAt({ store, id: conversationId, below: firstSeq - 1 }, position, limit);
  await requireMembership(store, conversationId, userId);
  return page;
}

/** What is read: the messages of a conversation above a seq. */
type Source = { store: ReadStore; id: string; below: number };

function pageAt(source: Source, { before, after, around }: Position, limit: number) {
  if (after !== undefined) return pageAfter(source, Math.max(after, source.below), limit);
  if (around !== undefined) return pageAround(source, Math.max(around, source.below), limit);
  return pageBefore(source, before ?? end, limit);
}

async function pageBefore({ store, id, below }: Source, before: number, limit: number): Promise<HistoryPage> {
  const from = Math.max(before - 1, below);
  const [found, later] = await Promise.all([
    store.messages(id, { from: below, to: before }, false, limit + 1),
    before === end ? [] : store.messages(id, { from, to: end }, true, 1),
  ]);
  const messages = found.slice(0, limit).reverse();
  return { messages, hasBefore: found.length > limit, hasAfter: later.length > 0 };
}

async function pageAfter({ store, id, below }: Source, after: number, limit: number): Promise<HistoryPage> {
  const [found, earlier] = await Promise.all([
    store.messages(id, { from: after, to: end }, true, limit + 1),
    store.messages(id, { from: below, to: after + 1 }, false, 1),
  ]);
  return { messages: found.slice(0, limit), hasBefore: earlier.length > 0, hasAfter: found.length > limit };
}

async function pageAround({ store, id, below }: Source, around: number, limit: number): Promise<HistoryPage> {
  const half = Math.floor(limit / 2);
  const [older, newer] = await Promise.all([
    store.messages(id, { from: below, to: around }, false, half + 1),
    store.messages(id, { from: Math.max(around - 1, below), to: end }, true, limit - half + 1),
  ]);
  return {
    messages: [...older.slice(0, half).reverse(), ...newer.slice(0, limit - half)],
    hasBefore: older.length > half,
    hasAfter: newer.length > limit - half,
  };
}
