import type { PresenceConnection } from './presence-store.ts';

/** Boot -> end of its lease. Shares a hash tag with the claims, which change in the same scripts. */
export const leasesKey = 'bluewave:presence:{gateways}:leases';
/** Boot -> end of the claim of the process that cleans up after it. */
export const claimsKey = 'bluewave:presence:{gateways}:claims';

export const userKey = (userId: string): string => `bluewave:presence:{${userId}}`;
export const bootKey = (boot: string): string => `bluewave:presence:boot:${boot}`;

/** The field of the user's hash that is no connection: milliseconds since the epoch. */
export const lastSeenField = 'lastSeenAt';

/** The field of one connection in its user's hash. @throws when an id holds a slash. */
export function connectionField(boot: string, { deviceId, socketId }: PresenceConnection): string {
  if (boot.includes('/') || deviceId.includes('/')) throw new TypeError('ids of presence must not hold a slash');
  return `${boot}/${deviceId}/${socketId}`;
}

/** Boot and device of a connection's field. */
export function parseField(field: string): { boot: string; deviceId: string } {
  const [boot = '', deviceId = ''] = field.split('/', 2);
  return { boot, deviceId };
}
