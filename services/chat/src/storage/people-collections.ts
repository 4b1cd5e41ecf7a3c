import type { StoredUuid } from '@bluewave/mongo/uuid';
import type mongoose from 'mongoose';

/**
 * Somebody (`o`) in a list of the user `u`: a contact, perhaps with an alias, or a block. A user's list is a range of `_id`,
 * which is the shard key and the only index.
 */
export type ListedDocument = { _id: { u: StoredUuid; o: StoredUuid }; at: Date; alias?: string };
export type ListCollection = mongoose.mongo.Collection<ListedDocument>;
export type PeopleCollections = { contacts: ListCollection; blocks: ListCollection };

export function peopleCollections(db: mongoose.mongo.Db): PeopleCollections {
  return { contacts: db.collection('contacts'), blocks: db.collection('blocks') };
}
