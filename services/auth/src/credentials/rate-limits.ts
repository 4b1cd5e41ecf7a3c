import { AppError } from '@bluewave/errors/app-error';
import type { Identity } from '../accounts/identity.ts';
import type { Counters } from './counters.ts';
import { addressCounter, identityCounter } from './subject.ts';

type Limit = { max: number; windowMs: number };

const minute = 60_000;
const day = 24 * 60 * minute;

/** The limits and why they are as they are. */
export const rateLimits = {
  /** A class or an office signing up together passes; a script does not get far. */
  registrationsPerAddress: { max: 600, windowMs: 10 * minute },
  codesPerAddress: { max: 600, windowMs: 15 * minute },
  /** With 5 guesses a code, an identity takes at most 50 guesses of a million in 15 minutes and 150 a day. */
  codesPerIdentity: { max: 10, windowMs: 15 * minute },
  codesPerIdentityAndDay: { max: 30, windowMs: day },
  /** Wrong codes from one address, for whichever identities. */
  wrongCodesPerAddress: { max: 100, windowMs: 15 * minute },
} as const satisfies Record<string, Limit>;

/** What is over a limit is refused with AppError RATE_LIMITED and the time left; unreadable counts with UNAVAILABLE. */
export type RateLimits = {
  /** Counts a registration. */
  registration(ip: string): Promise<void>;
  /** Counts a request for a code. */
  codeRequest(identity: Identity, ip: string): Promise<void>;
  /** Looks whether another guess may come from this address. */
  assertMayGuess(ip: string): Promise<void>;
  /** Counts a wrong guess. */
  wrongCode(ip: string): Promise<void>;
};

export function createRateLimits(counters: Counters): RateLimits {
  const count = async (key: string | undefined, limit: Limit): Promise<void> => {
    if (key === undefined) return;
    const { count: hits, resetsInMs } = await counters.hit(key, limit.windowMs);
    if (hits > limit.max) throw tooOften(resetsInMs);
  };
  return {
    registration: (ip) => count(addressCounter('register', ip), rateLimits.registrationsPerAddress),
    codeRequest: async (identity, ip) => {
      await count(addressCounter('codes', ip), rateLimits.codesPerAddress);
      await count(identityCounter('codes', identity), rateLimits.codesPerIdentity);
      await count(identityCounter('codes-day', identity), rateLimits.codesPerIdentityAndDay);
    },
    assertMayGuess: async (ip) => {
      const key = addressCounter('wrong-codes', ip);
      if (key === undefined) return;
      const { count: hits, resetsInMs } = await counters.peek(key);
      if (hits >= rateLimits.wrongCodesPerAddress.max) throw tooOften(resetsInMs);
    },
    wrongCode: async (ip) => {
      const key = addressCounter('wrong-codes', ip);
      if (key !== undefined) await counters.hit(key, rateLimits.wrongCodesPerAddress.windowMs);
    },
  };
}

const tooOften = (retryAfterMs: number): AppError =>
  new AppError('RATE_LIMITED', 'That was too often. Try again later.', { retryAfterMs });

/** No limits: for benches and bulk tests, never in production. */
export const unlimited: RateLimits = {
  registration: async () => undefined,
  codeRequest: async () => undefined,
  assertMayGuess: async () => undefined,
  wrongCode: async () => undefined,
};
