import { AppError } from '@bluewave/errors/app-error';
import type { Counters } from './counters.ts';
import { addressCounter, identityCounter, type Subject } from './subject.ts';

const windowMs = 15 * 60_000;
/** Wrong passwords for one identifier before it is locked for the rest of the window. */
export const failuresPerIdentity = 10;
/** Wrong passwords and codes from one address; higher, since a whole office may stand behind it. */
export const failuresPerAddress = 100;

/** Keeps guessers out. Failures count per identifier, known or not, and per address. */
export type Attempts = {
  /** @throws AppError ACCOUNT_LOCKED or RATE_LIMITED with the time left, UNAVAILABLE when the counts cannot be read. */
  assertOpen(subject: Subject): Promise<void>;
  failed(subject: Subject): Promise<void>;
  succeeded(subject: Subject): Promise<void>;
};

/** @param options.limitAddresses false lifts what counts per address; identifiers are always guarded. */
export function createAttempts(counters: Counters, options: { limitAddresses: boolean }): Attempts {
  const addressOf = (ip: string) => (options.limitAddresses ? addressCounter('failures', ip) : undefined);
  return {
    assertOpen: async ({ identity, ip }) => {
      const address = addressOf(ip);
      const [byIdentity, byAddress] = await Promise.all([
        counters.peek(identityCounter('failures', identity)),
        address === undefined ? undefined : counters.peek(address),
      ]);
      if (byIdentity.count >= failuresPerIdentity) {
        throw new AppError('ACCOUNT_LOCKED', 'Too many wrong passwords. Wait, or log in with a one-time code.', {
          retryAfterMs: byIdentity.resetsInMs,
        });
      }
      if (byAddress !== undefined && byAddress.count >= failuresPerAddress) {
        throw new AppError('RATE_LIMITED', 'Too many failed logins from this network. Try again later.', {
          retryAfterMs: byAddress.resetsInMs,
        });
      }
    },
    failed: async ({ identity, ip }) => {
      const address = addressOf(ip);
      await Promise.all([
        counters.hit(identityCounter('failures', identity), windowMs),
        address === undefined ? undefined : counters.hit(address, windowMs),
      ]);
    },
    succeeded: ({ identity }) => counters.clear(identityCounter('failures', identity)),
  };
}
