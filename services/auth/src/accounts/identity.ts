import { AppError } from '@bluewave/errors/app-error';
import { parsePhoneNumberFromString } from 'libphonenumber-js';
import { invalid } from './invalid.ts';

/** Something that names one account: unique over the platform, in its normal form. */
export type Identity = { kind: 'email' | 'phone' | 'username'; value: string };

const maxEmailLength = 255;
const emailPattern = /^[^\s\p{Cc}@<>"(),:;[\]\\]+@[^\s\p{Cc}@<>"(),:;[\]\\.]+(\.[^\s\p{Cc}@<>"(),:;[\]\\.]+)+$/u;
const phonePattern = /^\+[1-9][0-9]{6,14}$/;
const usernamePattern = /^[a-z0-9_.]{3,50}$/;

/** The key of an identity in records and counters, e.g. `email:ada@example.com`. */
export const identityKey = (identity: Identity): string => `${identity.kind}:${identity.value}`;

/** NFC and lower case, so that two ways to type one name are one name. */
const normal = (text: string): string => text.trim().normalize('NFC').toLowerCase().normalize('NFC');

/** @throws AppError VALIDATION_FAILED naming `path`. */
export function parseEmail(text: string, path = 'email'): string {
  const value = normal(text);
  if (value.length > maxEmailLength || !emailPattern.test(value)) throw invalid(path, 'must be an e-mail address');
  return value;
}

/** @returns E.164. @throws AppError VALIDATION_FAILED naming `path`. */
export function parsePhone(text: string, path = 'phone'): string {
  const value = text.trim();
  const parsed = phonePattern.test(value) ? parsePhoneNumberFromString(value) : undefined;
  // Possible, not valid: number plans change faster than the tables of the library.
  if (!parsed?.isPossible()) throw invalid(path, 'must be an E.164 number, e.g. +4915112345678');
  return parsed.number;
}

/** True for a username in its normal form. */
export const isUsername = (text: string): boolean => usernamePattern.test(text);

/** @returns lower case. @throws AppError VALIDATION_FAILED naming `path`. */
export function parseUsername(text: string, path = 'username'): string {
  const value = normal(text);
  if (!isUsername(value)) throw invalid(path, 'must have 3 to 50 letters, digits, dots or underscores');
  return value;
}

/**
 * What somebody typed to say who they are: an `@` makes it an e-mail, a leading `+` a phone, else it is a username.
 * @throws AppError VALIDATION_FAILED naming `identifier`.
 */
export function parseIdentifier(text: string): Identity {
  const value = text.trim();
  if (value.includes('@')) return { kind: 'email', value: parseEmail(value, 'identifier') };
  if (value.startsWith('+')) return { kind: 'phone', value: parsePhone(value, 'identifier') };
  return { kind: 'username', value: parseUsername(value, 'identifier') };
}

/** The refusal for an identity that belongs to somebody else. */
export function identityTaken(kind: Identity['kind']): AppError {
  switch (kind) {
    case 'email':
      return new AppError('EMAIL_TAKEN', 'Another account has this e-mail address.');
    case 'phone':
      return new AppError('PHONE_TAKEN', 'Another account has this phone number.');
    case 'username':
      return new AppError('USERNAME_TAKEN', 'Another account has this username.');
  }
}
