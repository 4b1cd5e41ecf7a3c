import { AppError, type FieldError } from '@bluewave/errors/app-error';

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** A field of a request with its rule, checked by `refuseInvalid`. */
export type Check = { path: string; valid: boolean; message: string };

export const isUuid = (path: string, value: string): Check => ({
  path,
  valid: uuid.test(value),
  message: 'must be a UUID',
});

/** @throws AppError VALIDATION_FAILED naming every field whose check failed. */
export function refuseInvalid(checks: Check[]): void {
  const fields: FieldError[] = checks
    .filter((check) => !check.valid)
    .map(({ path, message }) => ({ path, code: 'invalid', message }));
  if (fields.length === 0) return;
  throw new AppError('VALIDATION_FAILED', 'The request does not match its schema.', { fields });
}
