import { AppError } from '@bluewave/errors/app-error';
import jwt from 'jsonwebtoken';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { Identity } from './identity.ts';
import type { KeySet } from './key-set.ts';
import type { Revocations } from './revocations.ts';

const headerShape = z.object({
  alg: z.literal('ES256'),
  typ: z.string().regex(/^(application\/)?at\+jwt$/i),
  kid: z.string().min(1).max(200),
});

const claimsShape = z.object({
  sub: z.string().min(1),
  sid: z.string().min(1),
  did: z.string().min(1),
  username: z.string(),
  name: z.string(),
  avatar: z.string().optional(),
  exp: z.number(),
});

export type TokenVerifierOptions = {
  keys: KeySet;
  revocations: Pick<Revocations, 'has'>;
  issuer: string;
  audience: string;
  now?: () => number;
  /** Verified tokens that are remembered until they expire. */
  cacheSize?: number;
};

/** Longer than any token of ours. */
const maxTokenLength = 4_096;

/**
 * Verifies access tokens: ES256 only, `typ` at+jwt, issuer, audience, expiry, revocation. A token is verified once
 * and remembered until it expires; revocation is checked every time.
 */
export class TokenVerifier {
  readonly #options: TokenVerifierOptions;
  readonly #now: () => number;
  readonly #verified: LRUCache<string, Identity>;

  constructor(options: TokenVerifierOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#verified = new LRUCache({ max: options.cacheSize ?? 20_000 });
  }

  /** @throws UNAUTHENTICATED without a token, TOKEN_EXPIRED, TOKEN_INVALID, SESSION_REVOKED, UNAVAILABLE. */
  async verify(token: string | undefined): Promise<Identity> {
    if (token === undefined || token === '') throw new AppError('UNAUTHENTICATED', 'Send an access token.');
    const identity = this.#verified.get(token) ?? (await this.#verify(token));
    if (identity.expiresAt <= this.#now()) throw expired();
    if (this.#options.revocations.has(identity.sessionId)) {
      throw new AppError('SESSION_REVOKED', 'This session has ended. Log in again.');
    }
    return identity;
  }

  async #verify(token: string): Promise<Identity> {
    const identity = readIdentity(await this.#claims(token));
    this.#verified.set(token, identity);
    return identity;
  }

  async #claims(token: string): Promise<unknown> {
    if (token.length > maxTokenLength) throw invalid();
    const header = headerShape.safeParse(decodeHeader(token));
    if (!header.success) throw invalid();
    const key = await this.#options.keys.find(header.data.kid);
    if (!key) throw invalid();
    try {
      return jwt.verify(token, key, {
        algorithms: ['ES256'],
        issuer: this.#options.issuer,
        audience: this.#options.audience,
        clockTimestamp: Math.floor(this.#now() / 1_000),
      });
    } catch (error) {
      throw error instanceof jwt.TokenExpiredError ? expired() : invalid(error);
    }
  }
}

function decodeHeader(token: string): unknown {
  try {
    return jwt.decode(token, { complete: true })?.header;
  } catch {
    // Not even base64 of JSON: the caller learns that it is no token of ours.
    return undefined;
  }
}

function readIdentity(claims: unknown): Identity {
  const read = claimsShape.safeParse(claims);
  if (!read.success) throw invalid(read.error);
  const { sub, sid, did, username, name, avatar, exp } = read.data;
  return {
    userId: sub,
    sessionId: sid,
    deviceId: did,
    username,
    displayName: name,
    avatarUrl: avatar || null,
    expiresAt: exp * 1_000,
  };
}

function expired(): AppError {
  return new AppError('TOKEN_EXPIRED', 'The access token has expired. Refresh it.');
}

function invalid(cause?: unknown): AppError {
  return new AppError('TOKEN_INVALID', 'The access token is not valid. Log in again.', { cause });
}
