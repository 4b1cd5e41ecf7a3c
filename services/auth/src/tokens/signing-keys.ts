import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
} from 'node:crypto';
import { ConfigError } from '@bluewave/runtime/config';

export type SigningKey = {
  /** RFC 7638 thumbprint of the public key. */
  kid: string;
  privateKey: KeyObject;
  publicKey: KeyObject;
};

/** Secrets of one purpose, one for each signing key. New values use `current`; older ones are found by their kid. */
export type Secrets = { current: string; byKid: ReadonlyMap<string, Buffer> };

const block = /-----BEGIN ((?:EC )?PRIVATE KEY)-----[\s\S]+?-----END \1-----/g;

/**
 * The ES256 keys of a PEM text, in its order; the first one signs.
 * @throws ConfigError when there is none, or one is not an unencrypted P-256 key.
 */
export function parseSigningKeys(pem: string): [SigningKey, ...SigningKey[]] {
  const keys = [...pem.matchAll(block)].map(([text], index) => parseKey(text, index + 1));
  const [first, ...others] = keys;
  if (!first) throw new ConfigError('TOKEN_KEYS holds no unencrypted private key in PEM format.');
  return [first, ...others];
}

function parseKey(text: string, position: number): SigningKey {
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey(text);
  } catch (error) {
    throw new ConfigError(`Key ${position} of TOKEN_KEYS cannot be read as a private key.`, { cause: error });
  }
  if (privateKey.asymmetricKeyType !== 'ec' || privateKey.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw new ConfigError(`Key ${position} of TOKEN_KEYS is not on the curve P-256 (prime256v1), which ES256 needs.`);
  }
  const publicKey = createPublicKey(privateKey);
  return { kid: thumbprint(publicKey), privateKey, publicKey };
}

/** A new P-256 key as PKCS #8 PEM. */
export function generateKeyPem(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** RFC 7638: SHA-256 of the required members in lexical order. */
function thumbprint(publicKey: KeyObject): string {
  const { crv, kty, x, y } = publicKey.export({ format: 'jwk' });
  return createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url');
}

/** The public keys as a JWK set (RFC 7517), as JSON. */
export function jwksJson(keys: readonly SigningKey[]): string {
  const entries = keys.map(({ kid, publicKey }) => ({
    ...publicKey.export({ format: 'jwk' }),
    kid,
    alg: 'ES256',
    use: 'sig',
  }));
  return JSON.stringify({ keys: entries });
}

/**
 * Server secrets that live with the signing keys and rotate with them: HKDF-SHA-256 of the private scalar, so that
 * a copy of the database alone is worth nothing.
 */
export function deriveSecrets(keys: readonly [SigningKey, ...SigningKey[]], purpose: 'codes' | 'refresh'): Secrets {
  const byKid = new Map(
    keys.map(({ kid, privateKey }) => {
      const scalar = Buffer.from(privateKey.export({ format: 'jwk' }).d ?? '', 'base64url');
      return [kid, Buffer.from(hkdfSync('sha256', scalar, '', `bluewave ${purpose} v1`, 32))];
    }),
  );
  return { current: keys[0].kid, byKid };
}
