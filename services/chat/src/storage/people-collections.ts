import type { StoredUuid } from '@bluewave/mongo/uuid';
import type mongoose from 'mongoose';

/** Somebody (`o`) in a list of the user `u`: a contact, perhaps with an alias, or a block. Sharded on `_id.u`. */
export type ListedDocument = { _id: { u: StoredUuid; o: StoredUuid }; at: Date; alias?: string };
export type ListCollection = mongoose.mongo.Collection<ListedDocument>;
export type PeopleCollections = { contacts: ListCollection; blocks: ListCollection };

export function peopleCollections(db: mongoose.mongo.Db): PeopleCollections {
  return { contacts: db.collection('contacts'), blocks: db.collection('blocks') };
}

/** Creates what is missing; safe with many replicas at once. */
export async function ensurePeopleIndexes({ contacts, blocks }: PeopleCollections): Promise<void> {
  const list = { key: { '_id.u': 1, '_id.o': 1 }, name: 'list' } as const;
  await Promise.all([contacts.createIndexes([list]), blocks.createIndexes([list])]);
}
