import type { Clock } from '@bluewave/runtime/clock';
import type { Deadline } from '@bluewave/runtime/deadline';
import { newId } from '@bluewave/runtime/ids';
import type { Account } from '../accounts/account.ts';
import { type AccessTokenParts, signAccessToken } from '../tokens/access-token.ts';
import type { DeviceInfo } from './device.ts';
import type { DeviceStore } from './device-store.ts';
import { formatRefreshToken, hashOf, newFamilyKey, newRefreshToken } from './refresh-token.ts';
import type { Session } from './session.ts';
import type { SessionEvents, SessionStore } from './session-store.ts';

export type OpenSessionParts = {
  sessions: SessionStore;
  devices: DeviceStore;
  events: SessionEvents;
  accessTokens: AccessTokenParts;
  /** How long an unused session lives. */
  refreshSeconds: number;
  clock: Clock;
};

/** What a client gets for proving who it is. */
export type SessionGrant = {
  account: Account;
  accessToken: string;
  refreshToken: string;
  /** Seconds. */
  expiresIn: number;
  deviceId: string;
  sessionId: string;
};

/** Opens a session on a device, in place of the one it had; without a device id it is a new device. */
export async function openSession(
  parts: OpenSessionParts,
  account: Account,
  device: DeviceInfo,
  deadline: Deadline,
): Promise<SessionGrant> {
  const now = parts.clock();
  const [sessionId, deviceId] = [newId(), device.id ?? newId()];
  const familyKey = newFamilyKey();
  const token = newRefreshToken(account.id, sessionId, familyKey);
  const session: Session = {
    ...{ id: sessionId, userId: account.id, deviceId, createdAt: now, lastUsedAt: now },
    ...{ expiresAt: now + parts.refreshSeconds * 1000, endedAt: undefined },
    ...{ familyKey, tokenHash: hashOf(token), rotated: [] },
  };
  const [ended] = await Promise.all([
    parts.sessions.replace(session, deadline),
    parts.devices.put(account.id, deviceId, device, now, session.expiresAt, deadline),
  ]);
  if (ended.length > 0)
    parts.events.sessionsRevoked(
      account.id,
      ended.map(({ id }) => id),
    );
  return grantSession(parts.accessTokens, account, session, formatRefreshToken(token));
}

/** The answer for a session that stands. */
export function grantSession(
  accessTokens: AccessTokenParts,
  account: Account,
  session: Session,
  refreshToken: string,
): SessionGrant {
  const { id: sessionId, deviceId } = session;
  const { id: userId, username, displayName, avatarUrl } = account;
  const accessToken = signAccessToken(accessTokens, { userId, sessionId, deviceId, username, displayName, avatarUrl });
  return { account, accessToken, refreshToken, expiresIn: accessTokens.seconds, deviceId, sessionId };
}
