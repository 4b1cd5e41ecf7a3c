/** Who a verified access token speaks for. */
export type Identity = {
  userId: string;
  sessionId: string;
  deviceId: string;
  username: string;
  displayName: string;
  avatarUrl: string | null;
  /** Milliseconds since the epoch. */
  expiresAt: number;
};
