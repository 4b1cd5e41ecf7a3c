import type { StoredUuid } from '@bluewave/mongo/uuid';
import { type Connection, type Model, Schema } from 'mongoose';

/** An account; sharded on `_id`, so what must be unique besides it is in `identities`. */
export type UserDocument = {
  _id: StoredUuid;
  username: string;
  displayName: string;
  email?: string;
  phone?: string;
  emailVerified: boolean;
  avatarUrl?: string;
  bio: string;
  createdAt: Date;
  passwordHash?: string;
  searchKeys: string[];
  searchPrefixes: string[];
};

/** Stands where an account must never be created; goes away by itself when no insert can be under way any more. */
export type FenceDocument = { _id: StoredUuid; fenced: true; expiresAt: Date };

const userSchema = new Schema<UserDocument & { expiresAt?: Date }>(
  {
    _id: { type: Schema.Types.UUID, required: true },
    username: { type: String, required: true },
    displayName: { type: String, required: true },
    email: String,
    phone: String,
    emailVerified: { type: Boolean, required: true },
    avatarUrl: String,
    bio: { type: String, default: '' },
    createdAt: { type: Date, required: true },
    passwordHash: String,
    searchKeys: { type: [String], required: true },
    searchPrefixes: { type: [String], required: true },
    expiresAt: Date,
  },
  { collection: 'users', autoIndex: false, versionKey: false, strictQuery: 'throw' },
);
// Equality on a prefix, then username order: a page of a search is read straight from the index.
userSchema.index({ searchPrefixes: 1, username: 1 }, { name: 'search' });
userSchema.index({ expiresAt: 1 }, { name: 'fence_expiry', expireAfterSeconds: 0, sparse: true });

export const userModel = (connection: Connection): Model<UserDocument> =>
  connection.model<UserDocument>('User', userSchema as unknown as Schema<UserDocument>);
