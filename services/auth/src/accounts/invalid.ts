import { AppError } from '@bluewave/errors/app-error';

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The refusal of one field. `path` is dotted and in the caller's words, e.g. `device.name`. */
export function invalid(path: string, message: string): AppError {
  return new AppError('VALIDATION_FAILED', `${path} ${message}.`, { fields: [{ path, code: 'invalid', message }] });
}

/** True for a UUID in lower case. */
export const isUuid = (text: string): boolean => uuidPattern.test(text);

/** A UUID of any version, lower-cased. @throws AppError VALIDATION_FAILED naming `path`. */
export function parseUuid(text: string, path: string): string {
  const value = text.toLowerCase();
  if (!isUuid(value)) throw invalid(path, 'must be a UUID');
  return value;
}

/**
 * One line of text, trimmed and NFC, of at most `max` characters (code points).
 * @throws AppError VALIDATION_FAILED naming `path`.
 */
export function parseLine(text: string, path: string, max: number): string {
  const value = text.trim().normalize('NFC');
  if (/\p{Cc}/u.test(value)) throw invalid(path, 'must not contain control characters');
  if (value.length > max * 2 || [...value].length > max) throw invalid(path, `must have at most ${max} characters`);
  return value;
}
