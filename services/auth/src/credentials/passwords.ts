import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import type { Deadline } from '@bluewave/runtime/deadline';
import { hash, verify } from '@node-rs/argon2';
import { invalid } from '../accounts/invalid.ts';
import { WorkPool } from './work-pool.ts';

/** OWASP's first choice of 2023: 19 MiB, two passes, one lane; the algorithm is argon2id by default. */
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
/** Measured on one core of the reference machine. */
const hashMs = 19;
/** At two at once the last of them waits about a second, half of a caller's deadline. */
const maxQueue = 100;
const minLength = 8;
const maxLength = 200;

export type Passwords = {
  /** `password` has passed {@link parseNewPassword}. */
  hash(password: string, deadline: Deadline): Promise<string>;
  /**
   * Whether the password opens the hash. Without a hash it takes as long and is false. `admit` runs when the turn
   * has come, right before the work: what it throws is the outcome.
   */
  verify(
    stored: string | undefined,
    password: string,
    admit: () => Promise<void>,
    deadline: Deadline,
  ): Promise<boolean>;
  /** Passwords that wait for their turn. */
  readonly queued: number;
};

/** Passwords by argon2id in a bounded pool of threads. */
export function createPasswords(pool = defaultPool()): Passwords {
  // The hash of nothing anybody knows, with the same cost as all others: unknown accounts take as long as known ones.
  const nobody = hash(randomBytes(16), cost);
  return {
    hash: (password, deadline) => pool.run(() => hash(password, cost), deadline),
    verify: (stored, password, admit, deadline) => {
      const given = normal(password);
      return pool.run(async () => {
        await admit();
        const matches = await verify(stored ?? (await nobody), given);
        return matches && stored !== undefined;
      }, deadline);
    },
    get queued() {
      return pool.queued;
    },
  };
}

function defaultPool(): WorkPool {
  return new WorkPool({ concurrency: Math.min(4, availableParallelism()), maxQueue, jobMs: hashMs });
}

/** A password that may be set: 8 to 200 characters. @throws AppError VALIDATION_FAILED. */
export function parseNewPassword(password: string): string {
  const value = normal(password);
  if ([...value].length < minLength) throw invalid('password', `must have at least ${minLength} characters`);
  return value;
}

/** NFC, so that the same password typed on two keyboards is one password. */
function normal(password: string): string {
  if (password.length > maxLength * 2 || [...password].length > maxLength) {
    throw invalid('password', `must have at most ${maxLength} characters`);
  }
  return password.normalize('NFC');
}
