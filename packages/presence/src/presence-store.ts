import type { Redis } from 'ioredis';

/** What people see of a user. */
export type PresenceStatus = 'online' | 'away' | 'offline';
export type Presence = { userId: string; status: PresenceStatus; lastSeenAt: string | null };

/** One socket of a user's device, as recorded by the gateway that holds it. */
export type PresenceConnection = { userId: string; deviceId: string; socketId: string };

export type PresenceStoreOptions = {
  redis: Redis;
  /** Milliseconds that a gateway's lease lasts without renewal. */
  leaseMs?: number;
  now?: () => number;
};

/**
 * Presence as leases of gateways: a connection counts only while the lease of the gateway boot that holds it is
 * alive, so a killed gateway's users go offline by themselves.
 *
 * Redis: `bluewave:presence:gateways` is a sorted set of boot -> lease end; `bluewave:presence:{<userId>}` is a hash
 * of `<boot>/<deviceId>/<socketId>` -> online|away plus `lastSeenAt`; `bluewave:presence:boot:<boot>` is the set of
 * users a boot holds, for clean-up. All calls reject when Redis does not answer within its command time-out.
 */
export type PresenceStore = {
  /** Renews the lease of a gateway boot; call every leaseMs / 3. */
  renew(boot: string): Promise<void>;
  /** Adds a connection. @returns true when the user was offline before. */
  connect(boot: string, connection: PresenceConnection): Promise<boolean>;
  /** Removes a connection. @returns true when it was the user's last live one. */
  disconnect(boot: string, connection: PresenceConnection): Promise<boolean>;
  /** Sets online or away for one connection. @returns the user's presence. */
  setStatus(boot: string, connection: PresenceConnection, status: 'online' | 'away'): Promise<Presence>;
  /** Presence of users, in the order asked for. */
  statusOf(userIds: readonly string[]): Promise<Presence[]>;
  /** Devices of a user that hold a live connection. */
  liveDevices(userIds: readonly string[]): Promise<Map<string, Set<string>>>;
  /** Claims boots whose lease ended and removes their connections. @returns users that went offline by it. */
  sweep(): Promise<string[]>;
  /** Re-adds all connections of a boot after Redis lost its data. */
  restore(boot: string, connections: readonly PresenceConnection[]): Promise<void>;
  /** Gives up the lease and all connections of a boot. @returns users that went offline by it. */
  release(boot: string): Promise<string[]>;
};
