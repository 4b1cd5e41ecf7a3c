import type { Redis } from 'ioredis';

/** What people see of a user. */
export type PresenceStatus = 'online' | 'away' | 'offline';
export type Presence = { userId: string; status: PresenceStatus; lastSeenAt: string | null };

/** One socket of a user's device, as recorded by the gateway that holds it. */
export type PresenceConnection = {
  userId: string;
  deviceId: string;
  socketId: string;
  /** What `restore` brings back; online when absent. Other calls ignore it. */
  status?: 'online' | 'away';
};

export type PresenceStoreOptions = {
  redis: Redis;
  /** Milliseconds that a gateway's lease lasts without renewal. Default 15,000. */
  leaseMs?: number;
  /** Milliseconds since the epoch. By default the clock of Redis, which is one clock for all gateways. */
  now?: () => number;
};

/**
 * Presence as leases of gateways: a connection counts only while the lease of the gateway boot that holds it is
 * alive, so a killed gateway's users go offline by themselves.
 *
 * Redis: `bluewave:presence:{gateways}:leases` is a sorted set of boot -> lease end, `...:claims` one of boot -> end of
 * the claim of the process that cleans up after it; `bluewave:presence:{<userId>}` is a hash of
 * `<boot>/<deviceId>/<socketId>` -> online|away plus `lastSeenAt`; `bluewave:presence:boot:<boot>` is the set of users a
 * boot holds, for clean-up. Ids must not hold a slash. All calls reject when Redis does not answer within its command
 * time-out; each may then be repeated.
 *
 * A gateway renews before its first connect, then every leaseMs / 3; whenever `renew` answers false it restores:
 * `if (!(await store.renew(boot))) await store.restore(boot, connections)`.
 */
export type PresenceStore = {
  /**
   * Renews the lease of a gateway boot; call every leaseMs / 3. @returns false when there was no live lease to renew
   * (the first call, Redis lost its data, the boot was too late and may be swept): its connections must be restored.
   */
  renew(boot: string): Promise<boolean>;
  /** Adds a connection. @returns true when the user was offline before. */
  connect(boot: string, connection: PresenceConnection): Promise<boolean>;
  /** Removes a connection. @returns true when it was there and the user has no live one left. */
  disconnect(boot: string, connection: PresenceConnection): Promise<boolean>;
  /** Sets online or away for one connection, if it is there. @returns the user's presence: the best of its devices. */
  setStatus(boot: string, connection: PresenceConnection, status: 'online' | 'away'): Promise<Presence>;
  /** Presence of users, in the order asked for. */
  statusOf(userIds: readonly string[]): Promise<Presence[]>;
  /** Devices that hold a live connection, for each user asked for; an empty set for those without. */
  liveDevices(userIds: readonly string[]): Promise<Map<string, Set<string>>>;
  /** How many live connections a user holds, on all gateways. */
  connectionsOf(userId: string): Promise<number>;
  /** Claims boots whose lease ended and removes their connections. @returns users that went offline by it. */
  sweep(): Promise<string[]>;
  /**
   * Re-adds all connections of a boot after Redis lost its data or the lease lapsed.
   * @returns users that are online by this boot alone: others may have been told that they went offline.
   */
  restore(boot: string, connections: readonly PresenceConnection[]): Promise<string[]>;
  /** Gives up the lease and all connections of a boot. @returns users that went offline by it. */
  release(boot: string): Promise<string[]>;
};
