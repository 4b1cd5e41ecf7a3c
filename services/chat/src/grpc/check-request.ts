import { AppError, notFound } from '@bluewave/errors/app-error';
import type { ConversationType } from '../log/entry.ts';

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const defaultPage = 50;
const maxPage = 200;

/** What is no UUID names nothing. */
export function checkIds(...ids: string[]): void {
  if (!ids.every((id) => uuid.test(id))) throw notFound();
}

export function checkType(type: string): ConversationType {
  if (type === 'direct' || type === 'group' || type === 'room') return type;
  throw new AppError('VALIDATION_FAILED', 'No such type of conversation.');
}

/** 0 means the default. */
export function pageLimit(limit: number): number {
  return limit <= 0 ? defaultPage : Math.min(limit, maxPage);
}
