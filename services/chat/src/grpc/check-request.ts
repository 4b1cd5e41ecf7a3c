import { AppError, notFound } from '@bluewave/errors/app-error';
import type { ConversationInfo, ConversationType, MessageKind, Role } from '../log/entry.ts';
import type { Preferences } from '../reading/read-store.ts';

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const defaultPage = 50;
const maxPage = 200;

/** What is no UUID names nothing. */
export function checkIds(...ids: string[]): void {
  if (!ids.every((id) => uuid.test(id))) throw notFound();
}

/** An id that a client made: one that is no UUID is refused, since it names nothing that could be missing. */
export function checkClientMsgId(id: string): void {
  if (!uuid.test(id)) throw new AppError('VALIDATION_FAILED', 'A clientMsgId is a UUID.');
}

export function checkType(type: string): ConversationType {
  if (type === 'direct' || type === 'group' || type === 'room') return type;
  throw new AppError('VALIDATION_FAILED', 'No such type of conversation.');
}

const kinds: readonly string[] = ['text', 'image', 'file', 'audio', 'video', 'system'] satisfies MessageKind[];

export function checkKind(kind: string): MessageKind {
  if (kinds.includes(kind)) return kind as MessageKind;
  throw new AppError('VALIDATION_FAILED', 'No such type of message.');
}

export function checkRole(role: string): Role {
  if (role === 'owner' || role === 'admin' || role === 'moderator' || role === 'member') return role;
  throw new AppError('VALIDATION_FAILED', 'No such role.');
}

export function checkHistory(history: string): NonNullable<ConversationInfo['history']> {
  if (history === 'all' || history === 'joined') return history;
  throw new AppError('VALIDATION_FAILED', 'History is all or joined.');
}

export function checkNotify(notify: string): Preferences['notify'] {
  if (notify === 'all' || notify === 'mentions' || notify === 'none') return notify;
  throw new AppError('VALIDATION_FAILED', 'Members are told of all, of mentions or of none.');
}

/** 0 means the default. */
export function pageLimit(limit: number): number {
  return limit <= 0 ? defaultPage : Math.min(limit, maxPage);
}

/** A seq in a cursor; undefined for none, and for what is no cursor of ours. */
export function positionOf(cursor: string): number | undefined {
  return /^\d{1,15}$/.test(cursor) ? Number(cursor) : undefined;
}
