import { AppError } from '@bluewave/errors/app-error';

/** A message's place among what is found: by time, then by conversation and seq. Sorts as a string; also the cursor. */
export function positionOf(message: { at: number; conversationId: string; seq: number }): string {
  return `${digits(message.at)}.${message.conversationId}.${digits(message.seq)}`;
}

/** A place before every message of this time: whoever goes on from it misses none. */
export function positionAt(at: number): string {
  return `${digits(at)}.z`;
}

/** The time of a cursor; infinite for none. @throws VALIDATION_FAILED for what is no cursor of ours. */
export function timeOfCursor(cursor: string): number {
  if (cursor === '') return Number.POSITIVE_INFINITY;
  const time = /^(\d{16})\.(?:z|[0-9a-f-]{36}\.\d{16})$/.exec(cursor)?.[1];
  if (time === undefined) {
    throw new AppError('VALIDATION_FAILED', 'The cursor is not one of an earlier page.', {
      fields: [{ path: 'cursor', code: 'invalid_format', message: 'must come from an earlier page' }],
    });
  }
  return Number(time);
}

const digits = (value: number): string => value.toString().padStart(16, '0');
