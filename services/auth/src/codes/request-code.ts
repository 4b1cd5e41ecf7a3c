import { AppError } from '@bluewave/errors/app-error';
import type { Clock } from '@bluewave/runtime/clock';
import type { Deadline } from '@bluewave/runtime/deadline';
import type { Account } from '../accounts/account.ts';
import type { AccountStore } from '../accounts/account-store.ts';
import { type Identity, identityKey, parseIdentifier } from '../accounts/identity.ts';
import type { RateLimits } from '../credentials/rate-limits.ts';
import type { Secrets } from '../tokens/signing-keys.ts';
import type { Channel, CodeDelivery } from './code-delivery.ts';
import type { CodeStore } from './code-store.ts';
import { codeLifeMs, hashCode, newCode } from './one-time-code.ts';

export type RequestCodeParts = {
  accounts: AccountStore;
  codes: CodeStore;
  delivery: CodeDelivery;
  limits: RateLimits;
  secrets: Secrets;
  /** The code is part of the answer; development only. */
  echoCodes: boolean;
  clock: Clock;
};

/**
 * Makes a code, which kills the one before, and has it delivered. Known and unknown identities cost and answer the
 * same; the account of an unknown e-mail or phone is made when its code comes back, not for whoever typed it.
 * @returns the code with `echoCodes`, else ''. @throws AppError VALIDATION_FAILED, RATE_LIMITED, UNAVAILABLE.
 */
export async function requestCode(
  parts: RequestCodeParts,
  request: { identifier: string; ip: string },
  deadline: Deadline,
): Promise<string> {
  const identity = parseIdentifier(request.identifier);
  refuseUnreachable(parts, identity);
  await parts.limits.codeRequest(identity, request.ip);
  const account = await parts.accounts.findByIdentity(identity, deadline);
  const code = newCode();
  const { current: kid, byKid } = parts.secrets;
  const secret = byKid.get(kid);
  if (!secret) throw new Error('the current key has a secret');
  const expiresAt = parts.clock() + codeLifeMs;
  await parts.codes.put(identityKey(identity), { hash: hashCode(secret, identity, code), kid, expiresAt });
  const target = addressOf(identity, account);
  if (target) parts.delivery.deliver({ ...target, code, expiresAt });
  return parts.echoCodes ? code : '';
}

/** By the kind of the identity alone, so that the refusal says nothing about accounts. */
function refuseUnreachable({ delivery, echoCodes }: RequestCodeParts, identity: Identity): void {
  const channels: Channel[] = identity.kind === 'username' ? ['email', 'phone'] : [identity.kind];
  if (echoCodes || channels.some((channel) => delivery.reaches(channel))) return;
  throw new AppError('UNAVAILABLE', 'This platform does not send one-time codes there. Log in with a password.');
}

/** Where the code goes: to the identity itself, or for a username to what its account can be reached by. */
function addressOf(identity: Identity, account: Account | undefined): { channel: Channel; to: string } | undefined {
  if (identity.kind !== 'username') return { channel: identity.kind, to: identity.value };
  if (account?.email !== undefined) return { channel: 'email', to: account.email };
  return account?.phone === undefined ? undefined : { channel: 'phone', to: account.phone };
}
