import type { Clock } from '@bluewave/runtime/clock';
import type { Deadline } from '@bluewave/runtime/deadline';
import { invalid, isUuid, parseUuid } from '../accounts/invalid.ts';
import { type Device, type DeviceInfo, unnamedDevice } from './device.ts';
import type { DeviceStore } from './device-store.ts';
import type { DeviceKey } from './session.ts';
import type { SessionStore } from './session-store.ts';

const maxPairs = 2_000;

export type DevicesParts = { sessions: SessionStore; devices: DeviceStore; refreshSeconds: number; clock: Clock };

/** The actor's devices with a live session, the latest used first. */
export async function listDevices(parts: DevicesParts, actorId: string, deadline: Deadline): Promise<Device[]> {
  const userId = parseUuid(actorId, 'actorId');
  const sessions = await parts.sessions.listLive(userId, parts.clock(), deadline);
  const ids = sessions.map(({ deviceId }) => deviceId);
  const known = new Map((await parts.devices.find(userId, ids, deadline)).map((device) => [device.id, device]));
  return sessions.map(({ deviceId, lastUsedAt }) => ({
    ...unnamedDevice,
    ...known.get(deviceId),
    id: deviceId,
    lastSeenAt: lastUsedAt,
  }));
}

/** Creates or renames a device record of the actor. Idempotent. */
export function putDevice(
  parts: DevicesParts,
  request: { actorId: string; device: DeviceInfo },
  deadline: Deadline,
): Promise<Device> {
  const userId = parseUuid(request.actorId, 'actorId');
  const { id, name } = request.device;
  if (id === undefined) throw invalid('device.id', 'is needed');
  if (name === undefined) throw invalid('device.name', 'is needed');
  const now = parts.clock();
  return parts.devices.put(userId, id, request.device, now, now + parts.refreshSeconds * 1000, deadline);
}

/** Those of the pairs that have a live session now, as the database's primary knows it. At most 2,000 pairs. */
export async function checkSessions(parts: DevicesParts, keys: DeviceKey[], deadline: Deadline): Promise<DeviceKey[]> {
  if (keys.length > maxPairs) throw invalid('devices', `must be at most ${maxPairs}`);
  const wanted = keys
    .map(({ userId, deviceId }) => ({ userId: userId.toLowerCase(), deviceId: deviceId.toLowerCase() }))
    .filter(({ userId, deviceId }) => isUuid(userId) && isUuid(deviceId));
  return wanted.length === 0 ? [] : parts.sessions.filterLive(wanted, parts.clock(), deadline);
}
