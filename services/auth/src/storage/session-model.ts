import type { StoredUuid } from '@bluewave/mongo/uuid';
import mongoose, { type Connection, type Model, Schema } from 'mongoose';

type Bytes = InstanceType<typeof mongoose.mongo.BSON.Binary>;

/** A login. Sharded on `userId`; `live` is there exactly while `endedAt` is not. */
export type SessionDocument = {
  _id: StoredUuid;
  userId: StoredUuid;
  deviceId: StoredUuid;
  createdAt: Date;
  lastUsedAt: Date;
  expiresAt: Date;
  live?: true;
  endedAt?: Date;
  familyKey: Bytes;
  tokenHash: Bytes;
  rotated: { hash: Bytes; at: Date; kid: string }[];
};

/** At most one live session a device, whoever races; also the index for a user's live sessions. */
export const liveDeviceIndex = 'live_device';

const sessionSchema = new Schema<SessionDocument>(
  {
    _id: { type: Schema.Types.UUID, required: true },
    userId: { type: Schema.Types.UUID, required: true },
    deviceId: { type: Schema.Types.UUID, required: true },
    createdAt: { type: Date, required: true },
    lastUsedAt: { type: Date, required: true },
    expiresAt: { type: Date, required: true },
    live: Boolean,
    endedAt: Date,
    familyKey: { type: Schema.Types.Buffer, required: true },
    tokenHash: { type: Schema.Types.Buffer, required: true },
    rotated: [{ _id: false, hash: Schema.Types.Buffer, at: Date, kid: String }],
  },
  { collection: 'sessions', autoIndex: false, versionKey: false, strictQuery: 'throw' },
);
sessionSchema.index(
  { userId: 1, deviceId: 1 },
  { name: liveDeviceIndex, unique: true, partialFilterExpression: { live: true } },
);
sessionSchema.index({ expiresAt: 1 }, { name: 'expiry', expireAfterSeconds: 0 });

export const sessionModel = (connection: Connection): Model<SessionDocument> =>
  connection.model<SessionDocument>('Session', sessionSchema);
