import { randomInt } from 'node:crypto';
import { AppError } from '@bluewave/errors/app-error';
import type { Deadline } from '@bluewave/runtime/deadline';
import { newId } from '@bluewave/runtime/ids';
import type { Account } from '../accounts/account.ts';
import { createAccount, type CreateAccountParts } from '../accounts/create-account.ts';
import { type Identity, identityKey, parseIdentifier } from '../accounts/identity.ts';
import type { RateLimits } from '../credentials/rate-limits.ts';
import type { DeviceInfo } from '../sessions/device.ts';
import { openSession, type OpenSessionParts, type SessionGrant } from '../sessions/open-session.ts';
import type { Secrets } from '../tokens/signing-keys.ts';
import type { CodeStore } from './code-store.ts';
import { hashUnderAll, isCode, maxGuesses } from './one-time-code.ts';

export type VerifyCodeParts = CreateAccountParts &
  OpenSessionParts & {
    codes: CodeStore;
    limits: RateLimits;
    secrets: Secrets;
    /** An unknown username becomes an account too; development only. */
    echoCodes: boolean;
  };
export type VerifyCodeRequest = { identifier: string; code: string; device: DeviceInfo; ip: string };

/**
 * Opens a session for the right code, which is spent by it. The account of a new e-mail or phone is created now.
 * @throws AppError INVALID_CODE, VALIDATION_FAILED, RATE_LIMITED; UNAVAILABLE when codes cannot be read.
 */
export async function verifyCode(
  parts: VerifyCodeParts,
  request: VerifyCodeRequest,
  deadline: Deadline,
): Promise<SessionGrant> {
  const identity = parseIdentifier(request.identifier);
  if (!isCode(request.code)) throw invalidCode();
  await parts.limits.assertMayGuess(request.ip);
  const hashes = hashUnderAll(parts.secrets, identity, request.code);
  if (!(await parts.codes.guess(identityKey(identity), hashes, parts.clock(), maxGuesses))) {
    await parts.limits.wrongCode(request.ip);
    throw invalidCode();
  }
  const account = (await findAccount(parts, identity, deadline)) ?? (await makeAccount(parts, identity, deadline));
  return openSession(parts, account, request.device, deadline);
}

/** The account of the identity; who brings back a code from a mailbox has shown that it is theirs. */
async function findAccount(
  { accounts }: VerifyCodeParts,
  identity: Identity,
  deadline: Deadline,
): Promise<Account | undefined> {
  const account = await accounts.findByIdentity(identity, deadline);
  if (!account || identity.kind !== 'email' || account.emailVerified) return account;
  await accounts.markEmailVerified(account.id, identity.value, deadline);
  return { ...account, emailVerified: true };
}

async function makeAccount(parts: VerifyCodeParts, identity: Identity, deadline: Deadline): Promise<Account> {
  // A code for an unknown username was never sent to anybody.
  if (identity.kind === 'username' && !parts.echoCodes) throw invalidCode();
  const id = newId();
  const username = identity.kind === 'username' ? identity.value : newUsername();
  const named: Identity = { kind: 'username', value: username };
  const account = {
    ...{ id, username, displayName: username, avatarUrl: undefined, bio: '', createdAt: parts.clock() },
    email: identity.kind === 'email' ? identity.value : undefined,
    phone: identity.kind === 'phone' ? identity.value : undefined,
    emailVerified: identity.kind === 'email',
    passwordHash: undefined,
  };
  try {
    return await createAccount(
      parts,
      id,
      identity.kind === 'username' ? [named] : [identity, named],
      async () => account,
      deadline,
    );
  } catch (error) {
    // Somebody registered this identity since we looked: it is their account that the code opens.
    const found = error instanceof AppError ? await findAccount(parts, identity, deadline) : undefined;
    if (found) return found;
    throw error;
  }
}

/** Says nothing of the e-mail or phone behind it; the owner can choose another. */
function newUsername(): string {
  const alphabet = 'abcdefghijkmnpqrstuvwxyz23456789';
  return `user_${Array.from({ length: 10 }, () => alphabet[randomInt(alphabet.length)]).join('')}`;
}

const invalidCode = (): AppError =>
  new AppError('INVALID_CODE', 'The code is wrong, was used, or has expired. Ask for a new one.');
