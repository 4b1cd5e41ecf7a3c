import type { StoredUuid } from '@bluewave/mongo/uuid';
import { type Connection, type Model, Schema } from 'mongoose';
import type { Platform } from '../sessions/device.ts';

/** What a client said of a device. Sharded on `userId`. */
export type DeviceDocument = {
  userId: StoredUuid;
  deviceId: StoredUuid;
  name: string;
  platform: Platform;
  appVersion: string;
  lastSeenAt: Date;
  expiresAt: Date;
};

const deviceSchema = new Schema<DeviceDocument>(
  {
    userId: { type: Schema.Types.UUID, required: true },
    deviceId: { type: Schema.Types.UUID, required: true },
    name: { type: String, required: true },
    platform: { type: String, required: true },
    appVersion: { type: String, default: '' },
    lastSeenAt: { type: Date, required: true },
    expiresAt: { type: Date, required: true },
  },
  { collection: 'devices', autoIndex: false, versionKey: false, strictQuery: 'throw' },
);
deviceSchema.index({ userId: 1, deviceId: 1 }, { name: 'device', unique: true });
deviceSchema.index({ expiresAt: 1 }, { name: 'expiry', expireAfterSeconds: 0 });

export const deviceModel = (connection: Connection): Model<DeviceDocument> =>
  connection.model<DeviceDocument>('Device', deviceSchema);
