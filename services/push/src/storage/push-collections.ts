import type { StoredUuid } from '@bluewave/mongo/uuid';
import type { Connection } from 'mongoose';
import type mongoose from 'mongoose';
import type { FinalOutcome } from '../notifications/delivery-store.ts';

/** The push token of a device. A device has one, a token is on one. */
export type TokenDocument = {
  _id: { u: StoredUuid; d: StoredUuid };
  provider: 'fcm' | 'webpush';
  token: string;
  /** New with each binding. */
  version: StoredUuid;
  boundAt: Date;
};

/** One entry for one device. `until` is the end of a claim, `notBefore` the earliest next attempt. */
export type DeliveryDocument = {
  _id: { c: StoredUuid; s: number; u: StoredUuid; d: StoredUuid };
  state: 'sending' | 'waiting' | 'done';
  /** Attempts begun. */
  attempts: number;
  /** Of the last change; the document goes 7 days after it. */
  at: Date;
  holder?: string;
  until?: Date;
  notBefore?: Date;
  /** Why the last attempt failed. */
  reason?: string;
  outcome?: FinalOutcome;
};

type Collection<T extends mongoose.mongo.Document> = mongoose.mongo.Collection<T>;

export type PushCollections = { tokens: Collection<TokenDocument>; deliveries: Collection<DeliveryDocument> };

const rememberedSeconds = 7 * 24 * 3_600;

/** The native collections of a mongoose connection: claims are updates by pipeline, by the server's clock. */
export function pushCollections(connection: Connection): PushCollections {
  const db = connection.db;
  if (!db) throw new Error('the connection is not open');
  return { tokens: db.collection('tokens'), deliveries: db.collection('deliveries') };
}

/** Creates what is missing. Safe with many replicas at once. */
export async function ensureIndexes({ tokens, deliveries }: PushCollections): Promise<void> {
  await Promise.all([
    tokens.createIndexes([
      { key: { token: 1 }, name: 'token', unique: true },
      { key: { '_id.u': 1 }, name: 'user' },
    ]),
    deliveries.createIndexes([
      { key: { '_id.u': 1, '_id.d': 1 }, name: 'sending', partialFilterExpression: { state: 'sending' } },
      { key: { at: 1 }, name: 'forget', expireAfterSeconds: rememberedSeconds },
    ]),
  ]);
}
