import type { Clock } from '@bluewave/runtime/clock';
import jwt from 'jsonwebtoken';
import type { SigningKey } from './signing-keys.ts';

export type AccessTokenParts = {
  key: SigningKey;
  issuer: string;
  audience: string;
  /** Life time. */
  seconds: number;
  clock: Clock;
};

export type AccessTokenClaims = {
  userId: string;
  sessionId: string;
  deviceId: string;
  username: string;
  displayName: string;
  avatarUrl: string | undefined;
};

/**
 * A short-lived ES256 access token (RFC 9068, `typ: at+jwt`). Besides the registered claims it carries `sid`
 * (session), `did` (device), `username`, `name` (display name) and `avatar` (when there is one), so that a gateway
 * needs no look-up for its caller.
 */
export function signAccessToken(parts: AccessTokenParts, claims: AccessTokenClaims): string {
  const now = Math.floor(parts.clock() / 1000);
  const payload = {
    iss: parts.issuer,
    aud: parts.audience,
    sub: claims.userId,
    iat: now,
    exp: now + parts.seconds,
    sid: claims.sessionId,
    did: claims.deviceId,
    username: claims.username,
    name: claims.displayName,
    ...(claims.avatarUrl === undefined ? {} : { avatar: claims.avatarUrl }),
  };
  return jwt.sign(payload, parts.key.privateKey, {
    algorithm: 'ES256',
    header: { alg: 'ES256', typ: 'at+jwt', kid: parts.key.kid },
  });
}
