import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import jwt from 'jsonwebtoken';

export type TestKey = { privateKey: KeyObject; pem: string; kid: string };

/** An EC key as auth takes it; `kid` is the RFC 7638 thumbprint. */
export function makeKey(): TestKey {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { crv, kty, x, y } = createPublicKey(privateKey).export({ format: 'jwk' });
  const kid = createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url');
  return { privateKey, pem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), kid };
}

export type TokenChange = { header?: object; claims?: object; key?: TestKey };

/** An access token as auth makes it, but for what a test changes. */
export function signToken(key: TestKey, { header = {}, claims = {} }: TokenChange = {}): string {
  const now = Math.floor(Date.now() / 1_000);
  const payload = {
    iss: 'bluewave',
    aud: 'bluewave',
    sub: randomUUID(),
    sid: randomUUID(),
    did: randomUUID(),
    username: 'ada',
    name: 'Ada',
    iat: now,
    exp: now + 900,
    ...claims,
  };
  return jwt.sign(payload, key.privateKey, { header: { alg: 'ES256', typ: 'at+jwt', kid: key.kid, ...header } });
}

/** The JWK set that publishes keys. */
export function jwksOf(...keys: TestKey[]): string {
  return JSON.stringify({
    keys: keys.map(({ privateKey, kid }) => ({
      ...createPublicKey(privateKey).export({ format: 'jwk' }),
      kid,
      use: 'sig',
      alg: 'ES256',
    })),
  });
}
