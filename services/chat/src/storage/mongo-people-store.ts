import { committed, durable, operationMs } from '@bluewave/mongo/connect';
import { isDuplicateKey } from '@bluewave/mongo/mongo-failure';
import { readUuid, storeUuid } from '@bluewave/mongo/uuid';
import type { Listed, PeopleStore } from '../people/people-store.ts';
import type { ListCollection, ListedDocument, PeopleCollections } from './people-collections.ts';

/** The ends of all ids; nobody has the first one. */
const firstId = '00000000-0000-0000-0000-000000000000';
const lastId = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

const read = { ...committed, maxTimeMS: operationMs } as const;
const write = { ...durable, maxTimeMS: operationMs } as const;

export function createMongoPeopleStore({ contacts, blocks }: PeopleCollections): PeopleStore {
  return {
    async putContact(userId, otherId, alias, at, max) {
      const change = alias === '' ? { $unset: { alias: 1 as const } } : { $set: { alias } };
      const _id = address(userId, otherId);
      if ((await contacts.updateOne({ _id }, change, write)).matchedCount > 0) return true;
      if ((await countOf(contacts, userId, max)) >= max) return false;
      await unlessThere(() =>
        contacts.updateOne({ _id }, { ...change, $setOnInsert: { at: new Date(at) } }, { ...write, upsert: true }),
      );
      return true;
    },
    async removeContact(userId, otherId) {
      await contacts.deleteOne({ _id: address(userId, otherId) }, write);
    },
    async contacts(userId, afterUserId, limit) {
      const found = await listOf(contacts, userId, afterUserId, limit);
      return found.map((document) => ({ ...fromListed(document), alias: document.alias ?? '' }));
    },
    async whoKnow(otherId, userIds) {
      const ids = userIds.map((userId) => address(userId, otherId));
      const found = await contacts.find({ _id: { $in: ids } }, { ...read, projection: { _id: 1 } }).toArray();
      return found.map(({ _id }) => readUuid(_id.u));
    },
    ...blockStore(blocks),
  };
}

type BlockStore = Pick<PeopleStore, 'putBlock' | 'removeBlock' | 'blocks' | 'blockedBy' | 'inForce'>;

function blockStore(blocks: ListCollection): BlockStore {
  return {
    async putBlock({ blocker, blocked }, at, max) {
      const _id = address(blocker, blocked);
      if (await blocks.findOne({ _id }, { ...read, projection: { _id: 1 } })) return true;
      if ((await countOf(blocks, blocker, max)) >= max) return false;
      await unlessThere(() =>
        blocks.updateOne({ _id }, { $setOnInsert: { at: new Date(at) } }, { ...write, upsert: true }),
      );
      return true;
    },
    async removeBlock({ blocker, blocked }) {
      await blocks.deleteOne({ _id: address(blocker, blocked) }, write);
    },
    async blocks(userId, afterUserId, limit) {
      return (await listOf(blocks, userId, afterUserId, limit)).map(fromListed);
    },
    async blockedBy(userId) {
      const found = await blocks.find({ _id: rangeOf(userId, null) }, { ...read, projection: { _id: 1 } }).toArray();
      return found.map(({ _id }) => readUuid(_id.o));
    },
    async inForce(pairs) {
      if (pairs.length === 0) return [];
      const ids = pairs.map(({ blocker, blocked }) => address(blocker, blocked));
      const found = await blocks.find({ _id: { $in: ids } }, { ...read, projection: { _id: 1 } }).toArray();
      return found.map(({ _id }) => ({ blocker: readUuid(_id.u), blocked: readUuid(_id.o) }));
    },
  };
}

function address(userId: string, otherId: string): ListedDocument['_id'] {
  return { u: storeUuid(userId), o: storeUuid(otherId) };
}

function listOf(
  collection: ListCollection,
  userId: string,
  afterUserId: string | null,
  limit: number,
): Promise<ListedDocument[]> {
  return collection
    .find({ _id: rangeOf(userId, afterUserId) }, { ...read, limit })
    .sort({ _id: 1 })
    .toArray();
}

function countOf(collection: ListCollection, userId: string, max: number): Promise<number> {
  return collection.countDocuments({ _id: rangeOf(userId, null) }, { ...read, limit: max });
}

/** One user's list, or what of it comes after another user. */
function rangeOf(userId: string, afterUserId: string | null) {
  return { $gt: address(userId, afterUserId ?? firstId), $lte: address(userId, lastId) };
}

/** Of several that insert the same at once one is first, and then it is there. */
async function unlessThere(insert: () => Promise<unknown>): Promise<void> {
  try {
    await insert();
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
  }
}

function fromListed({ _id, at }: ListedDocument): Listed {
  return { userId: readUuid(_id.o), at: at.getTime() };
}
