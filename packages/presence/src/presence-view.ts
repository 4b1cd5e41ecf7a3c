import { lastSeenField, parseField } from './presence-keys.ts';
import type { Presence, PresenceStatus } from './presence-store.ts';

/** The leases of all gateways at one moment. */
export type Leases = {
  /** End of a boot's lease, milliseconds; undefined for a boot nobody knows. */
  endOf(boot: string): number | undefined;
  isKnown(boot: string): boolean;
  isLive(boot: string): boolean;
};

/**
 * What people see of a user, from the hash of connections. A connection of a dead boot does not count, but says that
 * the user was there when that boot last renewed.
 */
export function presenceOf(
  userId: string,
  fields: Readonly<Record<string, string>>,
  leases: Leases,
  leaseMs: number,
): Presence {
  let status: PresenceStatus = 'offline';
  let seen = Number(fields[lastSeenField] ?? 0);
  for (const [field, value] of Object.entries(fields)) {
    if (field === lastSeenField) continue;
    const { boot } = parseField(field);
    if (!leases.isLive(boot)) seen = Math.max(seen, (leases.endOf(boot) ?? 0) - leaseMs);
    else if (value === 'online' || status === 'offline') status = value === 'online' ? 'online' : 'away';
  }
  return { userId, status, lastSeenAt: seen > 0 ? new Date(seen).toISOString() : null };
}

/** Devices of a user with a live connection. */
export function devicesOf(fields: Readonly<Record<string, string>>, leases: Leases): Set<string> {
  const devices = new Set<string>();
  for (const field of Object.keys(fields)) {
    if (field === lastSeenField) continue;
    const { boot, deviceId } = parseField(field);
    if (leases.isLive(boot)) devices.add(deviceId);
  }
  return devices;
}
