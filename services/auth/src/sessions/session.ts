/** A refresh token that was rotated; for a while a repeat of it is still answered. */
export type RotatedToken = {
  /** SHA-256 of the token. */
  hash: Buffer;
  /** When it was rotated. */
  at: number;
  /** Which server secret made its successor. */
  kid: string;
};

/** One login on one device. Times are milliseconds since the epoch. */
export type Session = {
  id: string;
  userId: string;
  deviceId: string;
  createdAt: number;
  lastUsedAt: number;
  /** The session ends when it is not refreshed before. */
  expiresAt: number;
  endedAt: number | undefined;
  /** Tells tokens that this session once had from invented ones. */
  familyKey: Buffer;
  /** SHA-256 of the one refresh token that may be rotated next. */
  tokenHash: Buffer;
  /** Tokens still in grace, oldest first. */
  rotated: RotatedToken[];
};

export type SessionRef = { id: string; deviceId: string };
export type DeviceKey = { userId: string; deviceId: string };

export const isLive = (session: Session, now: number): boolean =>
  session.endedAt === undefined && session.expiresAt > now;
