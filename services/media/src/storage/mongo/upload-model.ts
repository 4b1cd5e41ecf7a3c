import { type Connection, type Model, Schema, type Types } from 'mongoose';
import type { Upload } from '../../uploads/upload.ts';

/** An upload as it is stored: ids as BSON UUIDs, times as dates. */
export type UploadDocument = Omit<
  Upload,
  'id' | 'ownerId' | 'createdAt' | 'expiresAt' | 'confirmedAt' | 'leaseUntil' | 'dueAt'
> & {
  _id: Types.UUID;
  ownerId: Types.UUID;
  createdAt: Date;
  expiresAt: Date;
  confirmedAt: Date;
  leaseUntil: Date;
  dueAt: Date | null;
};

const uploadSchema = new Schema<UploadDocument>(
  {
    _id: { type: Schema.Types.UUID, required: true },
    ownerId: { type: Schema.Types.UUID, required: true },
    kind: { type: String, required: true },
    purpose: { type: String, required: true },
    fileName: { type: String, required: true },
    declared: { contentType: String, size: Number, sha256: String },
    contentType: { type: String, required: true },
    size: { type: Number, required: true },
    width: Number,
    height: Number,
    durationMs: Number,
    thumbhash: String,
    hasThumbnail: Boolean,
    status: { type: String, required: true },
    reason: String,
    etag: String,
    checksumVerified: Boolean,
    createdAt: Date,
    expiresAt: Date,
    confirmedAt: Date,
    attempts: Number,
    enqueued: Number,
    leaseUntil: Date,
    announced: Boolean,
    dueAt: Date,
    version: { type: Number, required: true },
  },
  { collection: 'uploads', versionKey: false, strict: 'throw', minimize: false, autoIndex: false },
);

// The sweeper's work list: records with nothing left to do are not in it.
uploadSchema.index({ dueAt: 1 }, { partialFilterExpression: { dueAt: { $type: 'date' } } });
// The age of the queue.
uploadSchema.index({ confirmedAt: 1 }, { partialFilterExpression: { status: 'processing' } });

/** One user's uploads of the last hour. */
export type LimitDocument = { _id: Types.UUID; taken: Date[]; last: Date };

const limitSchema = new Schema<LimitDocument>(
  { _id: { type: Schema.Types.UUID, required: true }, taken: [Date], last: Date },
  { collection: 'uploadLimits', versionKey: false, strict: 'throw', autoIndex: false },
);

limitSchema.index({ last: 1 }, { expireAfterSeconds: 3_600 });

export type MediaModels = { uploads: Model<UploadDocument>; limits: Model<LimitDocument> };

/** The collections of the media database. Indexes that exist are left alone: any number of replicas may start at once. */
export async function prepareModels(connection: Connection): Promise<MediaModels> {
  const uploads = connection.model<UploadDocument>('Upload', uploadSchema);
  const limits = connection.model<LimitDocument>('UploadLimit', limitSchema);
  await Promise.all([uploads.createIndexes(), limits.createIndexes()]);
  return { uploads, limits };
}
