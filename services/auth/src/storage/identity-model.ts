import type { StoredUuid } from '@bluewave/mongo/uuid';
import { type Connection, type Model, Schema } from 'mongoose';

/** Who owns an e-mail, phone or username. `_id` is `email:ada@example.com`, so uniqueness needs no other index. */
export type IdentityDocument = { _id: string; userId: StoredUuid; at: Date };

const identitySchema = new Schema<IdentityDocument>(
  {
    _id: { type: String, required: true },
    userId: { type: Schema.Types.UUID, required: true },
    at: { type: Date, required: true },
  },
  { collection: 'identities', autoIndex: false, versionKey: false, strictQuery: 'throw' },
);

export const identityModel = (connection: Connection): Model<IdentityDocument> =>
  connection.model<IdentityDocument>('Identity', identitySchema);
