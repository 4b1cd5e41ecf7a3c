import type { Deadline } from '@bluewave/runtime/deadline';
import { newId } from '@bluewave/runtime/ids';
import { createAccount, type CreateAccountParts } from '../accounts/create-account.ts';
import { type Identity, parseEmail, parsePhone, parseUsername } from '../accounts/identity.ts';
import { parseLine } from '../accounts/invalid.ts';
import type { DeviceInfo } from '../sessions/device.ts';
import { openSession, type OpenSessionParts, type SessionGrant } from '../sessions/open-session.ts';
import { parseNewPassword, type Passwords } from './passwords.ts';
import type { RateLimits } from './rate-limits.ts';

const maxDisplayName = 100;

export type RegisterParts = CreateAccountParts & OpenSessionParts & { passwords: Passwords; limits: RateLimits };
export type RegisterRequest = {
  email: string;
  username: string;
  password: string;
  /** Empty: the username as it was typed. */
  displayName: string;
  /** E.164 or empty. */
  phone: string;
  device: DeviceInfo;
  ip: string;
};

/**
 * Creates an account with a password and opens its first session.
 * @throws AppError VALIDATION_FAILED, EMAIL_TAKEN, USERNAME_TAKEN, PHONE_TAKEN, RATE_LIMITED.
 */
export async function register(
  parts: RegisterParts,
  request: RegisterRequest,
  deadline: Deadline,
): Promise<SessionGrant> {
  const email = parseEmail(request.email);
  const username = parseUsername(request.username);
  const password = parseNewPassword(request.password);
  const phone = request.phone === '' ? undefined : parsePhone(request.phone);
  const displayName = parseLine(request.displayName, 'displayName', maxDisplayName) || request.username.trim();
  await parts.limits.registration(request.ip);

  const id = newId();
  const identities: Identity[] = [
    { kind: 'email', value: email },
    { kind: 'username', value: username },
    ...(phone === undefined ? [] : [{ kind: 'phone' as const, value: phone }]),
  ];
  // The password is hashed once the names are ours: whoever loses the race costs no hash.
  const prepare = async () => ({
    ...{ id, username, displayName, email, phone },
    ...{ emailVerified: false, avatarUrl: undefined, bio: '', createdAt: parts.clock() },
    passwordHash: await parts.passwords.hash(password, deadline),
  });
  const account = await createAccount(parts, id, identities, prepare, deadline);
  return openSession(parts, account, request.device, deadline);
}
