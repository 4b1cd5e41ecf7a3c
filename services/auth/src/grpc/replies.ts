import type { Account as AccountReply } from '@bluewave/protos/generated/bluewave/auth/v1/Account';
import type { Device as DeviceReply } from '@bluewave/protos/generated/bluewave/auth/v1/Device';
import type { SessionReply } from '@bluewave/protos/generated/bluewave/auth/v1/SessionReply';
import type { User } from '@bluewave/protos/generated/bluewave/auth/v1/User';
import type { Account, Profile } from '../accounts/account.ts';
import type { Device } from '../sessions/device.ts';
import type { SessionGrant } from '../sessions/open-session.ts';

// Replies name every field they let out; what is not named here never leaves.

export const userReply = (profile: Profile): User => ({
  id: profile.id,
  username: profile.username,
  displayName: profile.displayName,
  avatarUrl: profile.avatarUrl ?? '',
  bio: profile.bio,
  createdAtMs: profile.createdAt,
});

export const accountReply = (account: Account): AccountReply => ({
  user: userReply(account),
  email: account.email ?? '',
  phone: account.phone ?? '',
  emailVerified: account.emailVerified,
  totpEnabled: false,
});

export const sessionReply = (grant: SessionGrant): SessionReply => ({
  user: accountReply(grant.account),
  accessToken: grant.accessToken,
  refreshToken: grant.refreshToken,
  expiresIn: grant.expiresIn,
  deviceId: grant.deviceId,
  sessionId: grant.sessionId,
});

export const deviceReply = (device: Device): DeviceReply => ({
  id: device.id,
  name: device.name,
  platform: device.platform,
  appVersion: device.appVersion,
  lastSeenAtMs: device.lastSeenAt,
});
