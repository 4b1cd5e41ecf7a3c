import mongoose, { type Model } from 'mongoose';

/** The driver's own view of a model's collection, typed by the model's documents. */
export const native = <T extends object>(model: Model<T>): mongoose.mongo.Collection<T> =>
  model.collection as unknown as mongoose.mongo.Collection<T>;
