import { AppError } from '@bluewave/errors/app-error';
import type { Deadline } from '@bluewave/runtime/deadline';
import type { AccountStore } from '../accounts/account-store.ts';
import { type Identity, parseIdentifier } from '../accounts/identity.ts';
import type { DeviceInfo } from '../sessions/device.ts';
import { openSession, type OpenSessionParts, type SessionGrant } from '../sessions/open-session.ts';
import type { Attempts } from './attempts.ts';
import type { Passwords } from './passwords.ts';

export type LoginParts = OpenSessionParts & { accounts: AccountStore; passwords: Passwords; attempts: Attempts };
export type LoginRequest = { identifier: string; password: string; device: DeviceInfo; ip: string };

/**
 * Opens a session for the right password. Unknown identifiers, accounts without password and wrong passwords take
 * as long and answer alike.
 * @throws AppError INVALID_CREDENTIALS, ACCOUNT_LOCKED, RATE_LIMITED; UNAVAILABLE when failures cannot be counted.
 */
export async function login(parts: LoginParts, request: LoginRequest, deadline: Deadline): Promise<SessionGrant> {
  const { accounts, passwords, attempts } = parts;
  const subject = { identity: identityOf(request.identifier), ip: request.ip };
  await attempts.assertOpen(subject);
  const account = await accounts.findByIdentity(subject.identity, deadline);
  // Asked again when the turn has come: guesses that queued up together do not all get theirs.
  const admit = () => attempts.assertOpen(subject);
  const matches = await passwords.verify(account?.passwordHash, request.password, admit, deadline);
  if (!account || !matches) {
    await attempts.failed(subject);
    throw invalidCredentials();
  }
  await attempts.succeeded(subject);
  return openSession(parts, account, request.device, deadline);
}

/** What can be no identity of ours is an unknown one. */
function identityOf(identifier: string): Identity {
  try {
    return parseIdentifier(identifier);
  } catch (error) {
    if (error instanceof AppError) throw invalidCredentials();
    throw error;
  }
}

const invalidCredentials = (): AppError =>
  new AppError('INVALID_CREDENTIALS', 'No account has this identifier and password.');
