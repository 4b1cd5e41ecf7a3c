import { type Connection, type Model, Schema } from 'mongoose';

/** The signing key of a development platform; production keeps its keys outside. */
export type SigningKeyDocument = { _id: 'development'; pem: string; createdAt: Date };

const signingKeySchema = new Schema<SigningKeyDocument>(
  {
    _id: { type: String, required: true },
    pem: { type: String, required: true },
    createdAt: { type: Date, required: true },
  },
  { collection: 'signing_keys', autoIndex: false, versionKey: false, strictQuery: 'throw' },
);

export const signingKeyModel = (connection: Connection): Model<SigningKeyDocument> =>
  connection.model<SigningKeyDocument>('SigningKey', signingKeySchema);
