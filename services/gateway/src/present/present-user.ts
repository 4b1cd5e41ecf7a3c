import type { Me, User, UserSummary } from '@bluewave/api/objects';
import type { Presence } from '@bluewave/presence/presence-store';
import type { Account } from '@bluewave/protos/generated/bluewave/auth/v1/Account';
import type { User as AuthUser } from '@bluewave/protos/generated/bluewave/auth/v1/User';
import { presentTime } from './present-time.ts';

/** What anybody sees of a user beside a message. */
export function presentUserSummary(user: AuthUser): UserSummary {
  return { id: user.id, username: user.username, displayName: user.displayName, avatarUrl: user.avatarUrl || null };
}

/** Stands for an account that is gone. */
export function deletedUser(id: string): UserSummary {
  return { id, username: 'deleted', displayName: 'Deleted user', avatarUrl: null };
}

/** Stands for an account that cannot be asked for now: clients keep the name they know. */
export function unknownUser(id: string): UserSummary {
  return { id, username: '', displayName: '', avatarUrl: null };
}

/** A profile; without `presence` the reader may not see it or it is not known: offline. */
export function presentUser(user: AuthUser, presence?: Presence): User {
  return {
    ...presentUserSummary(user),
    bio: user.bio,
    status: presence?.status ?? 'offline',
    lastSeenAt: presence?.lastSeenAt ?? null,
    createdAt: presentTime(user.createdAtMs),
  };
}

/** The caller's own account. */
export function presentMe(account: Account, presence?: Presence): Me {
  const { user } = account;
  if (!user) throw new Error('an account without a user');
  return {
    ...presentUser(user, presence),
    email: account.email || null,
    phone: account.phone || null,
    emailVerified: account.emailVerified,
    totpEnabled: account.totpEnabled,
    settings: {},
  };
}
