import { AppError } from '@bluewave/errors/app-error';
import { committed, operationMs } from '@bluewave/mongo/connect';
import { isDuplicateKey } from '@bluewave/mongo/mongo-failure';
import { type ReadPlace, relaxed } from '@bluewave/mongo/relaxed-reads';
import { readUuid, storeUuid } from '@bluewave/mongo/uuid';
import { type Deadline, remainingMs } from '@bluewave/runtime/deadline';
import type { Model } from 'mongoose';
import type { Account, AccountWithPassword, Profile } from '../accounts/account.ts';
import type { AccountStore, Reservation } from '../accounts/account-store.ts';
import { identityKey } from '../accounts/identity.ts';
import { cut, indexedPrefix, searchKeys, searchPrefixes } from '../accounts/search-keys.ts';
import type { Models } from './models.ts';
import { native } from './native.ts';
import type { FenceDocument, UserDocument } from './user-model.ts';

/** Longer than any insert can be under way. */
const fenceLifeMs = 24 * 3_600_000;
const reserveTries = 3;
/** Nobody's id: an unknown identity costs the same second read as a known one. */
const nobody = storeUuid('00000000-0000-0000-0000-000000000000');
const profileFields = { username: 1, displayName: 1, avatarUrl: 1, bio: 1, createdAt: 1 } as const;
const accountFields = { ...profileFields, email: 1, phone: 1, emailVerified: 1 } as const;
/** Above every text that continues a prefix. */
const afterAll = '\u{10ffff}';

/** Accounts in the collections `users` and `identities`. Only the search for people reads from `relaxedReads`. */
export function createMongoAccountStore(
  { users, identities }: Models,
  relaxedReads: ReadPlace = 'primary',
): AccountStore {
  const { readPreference } = relaxed(relaxedReads);
  // A fence stands in the same collection, since it has to collide with the account it prevents.
  const fences = native<FenceDocument>(users as unknown as Model<FenceDocument>);
  return {
    reserve: (wanted, deadline) => reserve(identities, wanted, deadline),
    release: async (released, userId, deadline) => {
      await identities
        .deleteMany({ _id: { $in: released.map(identityKey) }, userId: storeUuid(userId) })
        .maxTimeMS(limit(deadline));
    },
    takeOver: async (held, next, deadline) => {
      const filter = { _id: identityKey(held.identity), userId: storeUuid(held.userId), at: new Date(held.at) };
      const change = { $set: { userId: storeUuid(next.userId), at: new Date(next.at) } };
      const { modifiedCount } = await identities.updateOne(filter, change).maxTimeMS(limit(deadline));
      return modifiedCount === 1;
    },
    fence: async (userId, deadline) => {
      const _id = storeUuid(userId);
      const fence: FenceDocument = { _id, fenced: true, expiresAt: new Date(Date.now() + fenceLifeMs) };
      try {
        await fences.insertOne(fence, { maxTimeMS: limit(deadline) });
        return true;
      } catch (error) {
        if (!isDuplicateKey(error)) throw error;
        const there = await fences.findOne({ _id }, { ...committed, maxTimeMS: limit(deadline) });
        return there?.fenced === true;
      }
    },
    create: async (account, deadline) => {
      try {
        await native(users).insertOne(toDocument(account), { maxTimeMS: limit(deadline) });
        return true;
      } catch (error) {
        if (isDuplicateKey(error)) return false;
        throw error;
      }
    },
    findByIdentity: async (identity, deadline) => {
      const held = await identities.findById(identityKey(identity)).lean().maxTimeMS(limit(deadline));
      const found = await users
        .findById(held?.userId ?? nobody, { ...accountFields, passwordHash: 1 })
        .lean()
        .maxTimeMS(limit(deadline));
      return isUser(found) ? { ...toAccount(found), passwordHash: found.passwordHash } : undefined;
    },
    find: async (userId, deadline) => {
      const found = await users.findById(storeUuid(userId), accountFields).lean().maxTimeMS(limit(deadline));
      return isUser(found) ? toAccount(found) : undefined;
    },
    findProfiles: async (userIds, deadline) => {
      const found = await users
        .find({ _id: { $in: userIds.map(storeUuid) } }, profileFields)
        .lean()
        .maxTimeMS(limit(deadline));
      return found.filter(isUser).map(toProfile);
    },
    search: async ({ prefix, after, limit: most }, deadline) => {
      const isLong = [...prefix].length > indexedPrefix;
      const found = await native(users)
        .find(
          {
            searchPrefixes: cut(prefix, indexedPrefix),
            ...(after === undefined ? {} : { username: { $gt: after } }),
            ...(isLong ? { searchKeys: { $elemMatch: { $gte: prefix, $lt: prefix + afterAll } } } : {}),
          },
          { projection: profileFields, hint: 'search', readPreference, maxTimeMS: limit(deadline) },
        )
        .sort({ username: 1 })
        .limit(most)
        .toArray();
      return found.map(toProfile);
    },
    markEmailVerified: async (userId, email, deadline) => {
      await users
        .updateOne({ _id: storeUuid(userId), email }, { $set: { emailVerified: true } })
        .maxTimeMS(limit(deadline));
    },
  };
}

const limit = (deadline: Deadline): number => remainingMs(deadline, operationMs);

async function reserve(
  identities: Models['identities'],
  wanted: Reservation[],
  deadline: Deadline,
): Promise<Reservation[]> {
  let open = wanted;
  const held: Reservation[] = [];
  for (let tries = 0; tries < reserveTries && open.length > 0; tries += 1) {
    try {
      await native(identities).insertMany(open.map(toIdentityDocument), {
        ordered: false,
        maxTimeMS: limit(deadline),
      });
      return held;
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
    }
    const keys = open.map(({ identity }) => identityKey(identity));
    const there = await identities
      .find({ _id: { $in: keys } })
      .readConcern('majority')
      .lean()
      .maxTimeMS(limit(deadline));
    const owners = new Map(there.map((one) => [one._id, one]));
    for (const { identity, userId } of open) {
      const owner = owners.get(identityKey(identity));
      const ownerId = owner && readUuid(owner.userId);
      if (owner && ownerId && ownerId !== userId) held.push({ identity, userId: ownerId, at: owner.at.getTime() });
    }
    // What is neither theirs nor ours was given back between the insert and the read.
    open = open.filter(({ identity }) => !owners.has(identityKey(identity)));
  }
  if (open.length > 0) throw new AppError('UNAVAILABLE', 'This name changes hands at this moment. Try again.');
  return held;
}

const toIdentityDocument = ({ identity, userId, at }: Reservation) => ({
  _id: identityKey(identity),
  userId: storeUuid(userId),
  at: new Date(at),
});

const isUser = <T extends Partial<UserDocument>>(found: T | null): found is T =>
  found !== null && found.username !== undefined;

function toDocument(account: AccountWithPassword): UserDocument {
  const { id, email, phone, avatarUrl, passwordHash, createdAt, ...rest } = account;
  const keys = searchKeys(account.username, account.displayName);
  return {
    _id: storeUuid(id),
    ...rest,
    ...(email === undefined ? {} : { email }),
    ...(phone === undefined ? {} : { phone }),
    ...(avatarUrl === undefined ? {} : { avatarUrl }),
    ...(passwordHash === undefined ? {} : { passwordHash }),
    createdAt: new Date(createdAt),
    searchKeys: keys,
    searchPrefixes: searchPrefixes(keys),
  };
}

type StoredProfile = Pick<UserDocument, '_id' | 'username' | 'displayName' | 'avatarUrl' | 'bio' | 'createdAt'>;

const toProfile = (stored: StoredProfile): Profile => ({
  id: readUuid(stored._id),
  username: stored.username,
  displayName: stored.displayName,
  avatarUrl: stored.avatarUrl,
  bio: stored.bio,
  createdAt: stored.createdAt.getTime(),
});

const toAccount = (stored: StoredProfile & Pick<UserDocument, 'email' | 'phone' | 'emailVerified'>): Account => ({
  ...toProfile(stored),
  email: stored.email,
  phone: stored.phone,
  emailVerified: stored.emailVerified,
});
