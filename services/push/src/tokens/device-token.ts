import { AppError, type FieldError } from '@bluewave/errors/app-error';

/** A device as its user knows it. Both are UUID strings; a device id is the client's own, so it needs the user. */
export type DeviceKey = { userId: string; deviceId: string };

export type PushProvider = 'fcm' | 'webpush';

/** Where a device is reached. `version` changes with each binding of the token to the device. */
export type DeviceToken = DeviceKey & { provider: PushProvider; token: string; version: string };

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
/** What FCM itself takes for a registration token. */
const registrationToken = /^\S{1,4096}$/;

/** @returns a user or device id in lower case. @throws VALIDATION_FAILED naming `path`. */
export function checkedId(value: string, path: string): string {
  if (uuid.test(value)) return value.toLowerCase();
  throw refused({ path, code: 'invalid_format', message: 'Must be a UUID.' });
}

/** @throws VALIDATION_FAILED for a provider we do not know. */
export function checkedProvider(value: string): PushProvider {
  if (value === 'fcm' || value === 'webpush') return value;
  throw refused({ path: 'provider', code: 'invalid_value', message: 'Must be fcm or webpush.' });
}

/** @throws VALIDATION_FAILED for what can be no registration token. */
export function checkedToken(value: string): string {
  if (registrationToken.test(value)) return value;
  throw refused({ path: 'token', code: 'invalid_format', message: 'Must be 1 to 4,096 characters without spaces.' });
}

function refused(field: FieldError): AppError {
  return new AppError('VALIDATION_FAILED', `${field.path}: ${field.message}`, { fields: [field] });
}
