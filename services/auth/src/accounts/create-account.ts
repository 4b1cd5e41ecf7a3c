import type { Clock } from '@bluewave/runtime/clock';
import type { Deadline } from '@bluewave/runtime/deadline';
import type { AccountWithPassword } from './account.ts';
import type { AccountStore, Reservation } from './account-store.ts';
import { type Identity, identityTaken } from './identity.ts';

/** How long a reservation without account is left alone: a registration may be under way. */
export const orphanAgeMs = 60_000;

export type CreateAccountParts = { accounts: AccountStore; clock: Clock };

/**
 * Creates an account whose identities are unique, without a transaction over shards:
 * 1. reserve every identity for the new id, 2. `prepare` the rest (hash a password), 3. insert the account, which is
 * the commit point. A process that dies in between leaves reservations without account; after a minute anybody who
 * wants one may take it over, and fences the old id first, so that the first insert can no longer succeed.
 * @throws AppError EMAIL_TAKEN, PHONE_TAKEN or USERNAME_TAKEN.
 */
export async function createAccount(
  parts: CreateAccountParts,
  userId: string,
  identities: Identity[],
  prepare: () => Promise<AccountWithPassword>,
  deadline: Deadline,
): Promise<AccountWithPassword> {
  const { accounts, clock } = parts;
  const wanted = identities.map((identity) => ({ identity, userId, at: clock() }));
  let account: AccountWithPassword;
  try {
    const held = await accounts.reserve(wanted, deadline);
    for (const reservation of held) await takeOverOrphan(parts, reservation, userId, deadline);
    account = await prepare();
  } catch (error) {
    await giveBack(accounts, identities, userId, deadline);
    throw error;
  }
  if (await accounts.create(account, deadline)) return account;
  // Somebody waited a minute for us and took our identities: from their point of view we never were.
  throw identityTaken(identities[0]?.kind ?? 'username');
}

async function takeOverOrphan(
  { accounts, clock }: CreateAccountParts,
  held: Reservation,
  userId: string,
  deadline: Deadline,
): Promise<void> {
  const now = clock();
  const isYoung = now - held.at < orphanAgeMs;
  if (isYoung || !(await accounts.fence(held.userId, deadline))) throw identityTaken(held.identity.kind);
  const taken = await accounts.takeOver(held, { identity: held.identity, userId, at: now }, deadline);
  if (!taken) throw identityTaken(held.identity.kind);
}

/** Nothing was inserted, so no account loses an identity by this. What cannot be given back now is an orphan soon. */
async function giveBack(
  store: AccountStore,
  identities: Identity[],
  userId: string,
  deadline: Deadline,
): Promise<void> {
  await Promise.allSettled([store.release(identities, userId, deadline)]);
}
