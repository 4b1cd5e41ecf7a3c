import { AppError } from '@bluewave/errors/app-error';
import type { Deadline } from '@bluewave/runtime/deadline';
import type { AccountStore } from '../accounts/account-store.ts';
import { parseDevice } from './device.ts';
import { grantSession, type OpenSessionParts, type SessionGrant } from './open-session.ts';
import { rotateRefreshToken, type RotateParts } from './rotate-refresh-token.ts';

export type RefreshParts = OpenSessionParts & RotateParts & { accounts: AccountStore };

/**
 * A new access token and the successor of the refresh token. The account is read afresh, so the token shows its
 * current name. @throws AppError as {@link rotateRefreshToken} does.
 */
export async function refreshSession(
  parts: RefreshParts,
  refreshToken: string,
  deadline: Deadline,
): Promise<SessionGrant> {
  const { session, refreshToken: next } = await rotateRefreshToken(parts, refreshToken, deadline);
  const { userId, deviceId, lastUsedAt, expiresAt } = session;
  const [account] = await Promise.all([
    parts.accounts.find(userId, deadline),
    parts.devices.put(userId, deviceId, parseDevice(null), lastUsedAt, expiresAt, deadline),
  ]);
  if (!account) throw new AppError('SESSION_REVOKED', 'This account is gone, and its sessions with it.');
  return grantSession(parts.accessTokens, account, session, next);
}
