import { invalid, parseLine, parseUuid } from '../accounts/invalid.ts';

const platforms = ['ios', 'android', 'web', 'desktop', 'other'] as const;
export type Platform = (typeof platforms)[number];

/** What a client says of its device; what it does not say is undefined. */
export type DeviceInfo = {
  id: string | undefined;
  name: string | undefined;
  platform: Platform | undefined;
  appVersion: string | undefined;
};

/** A device of a user. `lastSeenAt`: login or latest refresh, milliseconds since the epoch. */
export type Device = { id: string; name: string; platform: Platform; appVersion: string; lastSeenAt: number };

export const unnamedDevice = { name: 'Unnamed device', platform: 'other', appVersion: '' } as const;

const maxName = 100;
const maxVersion = 50;

/** @param said the wire form, where empty means absent. @throws AppError VALIDATION_FAILED. */
export function parseDevice(
  said: { id: string; name: string; platform: string; appVersion: string } | null,
): DeviceInfo {
  if (!said) return { id: undefined, name: undefined, platform: undefined, appVersion: undefined };
  return {
    id: said.id === '' ? undefined : parseUuid(said.id, 'device.id'),
    name: parseLine(said.name, 'device.name', maxName) || undefined,
    platform: said.platform === '' ? undefined : parsePlatform(said.platform),
    appVersion: parseLine(said.appVersion, 'device.appVersion', maxVersion) || undefined,
  };
}

export function parsePlatform(text: string): Platform {
  const found = platforms.find((platform) => platform === text);
  if (!found) throw invalid('device.platform', `must be one of ${platforms.join(', ')}`);
  return found;
}
