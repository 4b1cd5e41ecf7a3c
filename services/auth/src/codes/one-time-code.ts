import { createHmac, randomInt } from 'node:crypto';
import { type Identity, identityKey } from '../accounts/identity.ts';
import type { Secrets } from '../tokens/signing-keys.ts';

export const codeLifeMs = 10 * 60_000;
export const maxGuesses = 5;

const digits = 6;
const pattern = /^[0-9]{6}$/;

export const newCode = (): string =>
  randomInt(10 ** digits)
    .toString()
    .padStart(digits, '0');

export const isCode = (text: string): boolean => pattern.test(text);

/** The code under a server secret, bound to its identity: a copy of the store cannot be searched for six digits. */
export function hashCode(secret: Buffer, identity: Identity, code: string): string {
  return createHmac('sha256', secret)
    .update(`${identityKey(identity)}\0${code}`)
    .digest('base64url');
}

/** The guess under every server secret, since the code may have been made before keys were rotated. */
export function hashUnderAll(secrets: Secrets, identity: Identity, code: string): Map<string, string> {
  return new Map([...secrets.byKid].map(([kid, secret]) => [kid, hashCode(secret, identity, code)]));
}
