import type { Deadline } from '@bluewave/runtime/deadline';
import type { Account, AccountWithPassword, Profile } from './account.ts';
import type { Identity } from './identity.ts';

/** An identity that is set aside for an account which exists already or is about to. */
export type Reservation = { identity: Identity; userId: string; at: number };

/** One page of a search, by username order after `after`. */
export type SearchPage = {
  /** Folded text that a search key starts with. */
  prefix: string;
  /** Username after which the page begins; undefined for the first one. */
  after: string | undefined;
  limit: number;
};

/**
 * The record of accounts. Identities and accounts are separate records, so that accounts spread over shards by id
 * while each identity stays unique. Every write is durable when it resolves; when one rejects, its outcome is unknown.
 */
export type AccountStore = {
  /** Sets identities aside, each if it is free. @returns those that were not, as they are held. */
  reserve(reservations: Reservation[], deadline: Deadline): Promise<Reservation[]>;
  /** Gives back what `userId` holds of these. */
  release(identities: Identity[], userId: string, deadline: Deadline): Promise<void>;
  /** Hands `held` on to another account if nothing changed it meanwhile. @returns whether it did. */
  takeOver(held: Reservation, next: Reservation, deadline: Deadline): Promise<boolean>;
  /** Makes it impossible that an account with this id is ever created. @returns false when it exists already. */
  fence(userId: string, deadline: Deadline): Promise<boolean>;
  /** @returns false when the id was fenced: the account was not and will not be created. */
  create(account: AccountWithPassword, deadline: Deadline): Promise<boolean>;
  /** Costs the same for known and unknown identities. */
  findByIdentity(identity: Identity, deadline: Deadline): Promise<AccountWithPassword | undefined>;
  find(userId: string, deadline: Deadline): Promise<Account | undefined>;
  /** One query; unknown ids are left out, in no particular order. */
  findProfiles(userIds: string[], deadline: Deadline): Promise<Profile[]>;
  search(page: SearchPage, deadline: Deadline): Promise<Profile[]>;
  /** Records that the owner of the account has received something at this address. */
  markEmailVerified(userId: string, email: string, deadline: Deadline): Promise<void>;
};
