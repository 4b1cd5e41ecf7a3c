import { operationMs } from '@bluewave/mongo/connect';
import { readUuid, storeUuid } from '@bluewave/mongo/uuid';
import { type Deadline, remainingMs } from '@bluewave/runtime/deadline';
import { type Device, unnamedDevice } from '../sessions/device.ts';
import type { DeviceStore } from '../sessions/device-store.ts';
import type { DeviceDocument } from './device-model.ts';
import type { Models } from './models.ts';

/** Devices in the collection `devices`. */
export function createMongoDeviceStore({ devices }: Models): DeviceStore {
  return {
    put: async (userId, deviceId, info, seenAt, expiresAt, deadline) => {
      const said = Object.entries({ name: info.name, platform: info.platform, appVersion: info.appVersion });
      const isSaid = ([, value]: [string, string | undefined]) => value !== undefined;
      const unsaid = Object.entries(unnamedDevice).filter(
        ([field]) => !said.some((one) => one[0] === field && isSaid(one)),
      );
      const stored = await devices
        .findOneAndUpdate(
          { userId: storeUuid(userId), deviceId: storeUuid(deviceId) },
          {
            $set: Object.fromEntries(said.filter(isSaid)),
            $setOnInsert: Object.fromEntries(unsaid),
            // A slow call never makes a device older than a quick one made it.
            $max: { lastSeenAt: new Date(seenAt), expiresAt: new Date(expiresAt) },
          },
          { upsert: true, returnDocument: 'after', setDefaultsOnInsert: false },
        )
        .lean()
        .maxTimeMS(limit(deadline));
      return toDevice(stored);
    },
    find: async (userId, deviceIds, deadline) => {
      const found = await devices
        .find({ userId: storeUuid(userId), deviceId: { $in: deviceIds.map(storeUuid) } })
        .lean()
        .maxTimeMS(limit(deadline));
      return found.map(toDevice);
    },
    remove: async (userId, deviceId, deadline) => {
      const { deletedCount } = await devices
        .deleteOne({ userId: storeUuid(userId), deviceId: storeUuid(deviceId) })
        .maxTimeMS(limit(deadline));
      return deletedCount === 1;
    },
  };
}

const limit = (deadline: Deadline): number => remainingMs(deadline, operationMs);

const toDevice = (stored: DeviceDocument): Device => ({
  id: readUuid(stored.deviceId),
  name: stored.name,
  platform: stored.platform,
  appVersion: stored.appVersion,
  lastSeenAt: stored.lastSeenAt.getTime(),
});
