import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/**
 * A refresh token, opaque to clients: whose it is (user and session, so that the record is found by its shard key),
 * 256 bits that only its holder knows, and a tag by which the session recognises tokens it once had. Stored is only
 * the SHA-256 of the secret.
 */
export type RefreshToken = { userId: string; sessionId: string; secret: Buffer; tag: Buffer };

const prefix = 'bwr_';
const uuidBytes = 16;
const secretBytes = 32;
const tagBytes = 16;
const tokenBytes = 2 * uuidBytes + secretBytes + tagBytes;

/** The first token of a session. */
export function newRefreshToken(userId: string, sessionId: string, familyKey: Buffer): RefreshToken {
  const secret = randomBytes(secretBytes);
  return { userId, sessionId, secret, tag: tagOf(secret, familyKey) };
}

/**
 * The one successor of a token: a function of the token and a secret of the server, so that every repeat gets the
 * same one and nothing from which it could be made is stored.
 */
export function successorOf(token: RefreshToken, serverSecret: Buffer, familyKey: Buffer): RefreshToken {
  const secret = createHmac('sha256', serverSecret).update(formatRefreshToken(token)).digest();
  return { userId: token.userId, sessionId: token.sessionId, secret, tag: tagOf(secret, familyKey) };
}

export const newFamilyKey = (): Buffer => randomBytes(32);

/** Whether this session ever had this token, however long ago. */
export const isOfFamily = (token: RefreshToken, familyKey: Buffer): boolean =>
  timingSafeEqual(token.tag, tagOf(token.secret, familyKey));

export const hashOf = (token: RefreshToken): Buffer => createHash('sha256').update(token.secret).digest();

export function formatRefreshToken(token: RefreshToken): string {
  const bytes = Buffer.concat([bytesOf(token.userId), bytesOf(token.sessionId), token.secret, token.tag]);
  return prefix + bytes.toString('base64url');
}

/** @returns undefined for what cannot be a refresh token. */
export function parseRefreshToken(text: string): RefreshToken | undefined {
  if (!text.startsWith(prefix)) return undefined;
  const bytes = Buffer.from(text.slice(prefix.length), 'base64url');
  if (bytes.length !== tokenBytes) return undefined;
  const secretAt = 2 * uuidBytes;
  const token = {
    userId: uuidOf(bytes.subarray(0, uuidBytes)),
    sessionId: uuidOf(bytes.subarray(uuidBytes, secretAt)),
    secret: bytes.subarray(secretAt, secretAt + secretBytes),
    tag: bytes.subarray(secretAt + secretBytes),
  };
  // One spelling only: no ignored characters, no spare bits.
  return formatRefreshToken(token) === text ? token : undefined;
}

const tagOf = (secret: Buffer, familyKey: Buffer): Buffer =>
  createHmac('sha256', familyKey).update(secret).digest().subarray(0, tagBytes);

const bytesOf = (uuid: string): Buffer => Buffer.from(uuid.replaceAll('-', ''), 'hex');

function uuidOf(bytes: Buffer): string {
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
