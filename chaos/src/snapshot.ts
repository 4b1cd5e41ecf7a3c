import { createReadStream, createWriteStream, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import mongoose from 'mongoose';

type Client = mongoose.mongo.MongoClient;
type Index = mongoose.mongo.IndexDescriptionInfo;

const { BSON } = mongoose.mongo;
const batchSize = 500;

/**
 * Writes every database whose name begins with `prefix` into a folder, all of it as it was at one moment, while others
 * write on: one snapshot session reads everything at the same cluster time. `<database>/<collection>.bson` as mongodump
 * writes them, indexes beside them.
 */
export async function takeSnapshot(client: Client, prefix: string, folder: string): Promise<void> {
  const { databases } = await client.db('admin').admin().listDatabases({ nameOnly: true });
  await client.withSession({ snapshot: true, causalConsistency: false }, async (session) => {
    for (const { name } of databases.filter((database) => database.name.startsWith(prefix))) {
      const database = client.db(name);
      mkdirSync(join(folder, name), { recursive: true });
      for (const { name: collection, options } of await database.listCollections({}, { nameOnly: false }).toArray()) {
        const indexes = await database.collection(collection).indexes();
        writeFileSync(
          join(folder, name, `${collection}.metadata.json`),
          BSON.EJSON.stringify({ options, indexes }, { relaxed: false }),
        );
        const file = createWriteStream(join(folder, name, `${collection}.bson`));
        for await (const document of database.collection(collection).find({}, { session, raw: true, batchSize })) {
          if (!file.write(document)) await new Promise<void>((resolve) => void file.once('drain', () => resolve()));
        }
        file.end();
        await finished(file);
      }
    }
  });
}

/** Puts a snapshot into an empty server: collections and indexes first, then the documents, majority-committed. */
export async function restoreSnapshot(client: Client, folder: string): Promise<void> {
  for (const name of readdirSync(folder)) {
    const database = client.db(name);
    for (const file of readdirSync(join(folder, name)).filter((one) => one.endsWith('.metadata.json'))) {
      const collection = file.slice(0, -'.metadata.json'.length);
      const { options, indexes } = BSON.EJSON.parse(readFileSync(join(folder, name, file), 'utf8')) as {
        options: mongoose.mongo.CreateCollectionOptions;
        indexes: Index[];
      };
      const created = await database.createCollection(collection, options);
      const own = indexes.filter(({ name: index }) => index !== '_id_').map(withoutVersion);
      if (own.length > 0) await created.createIndexes(own);
      await insertAll(created, join(folder, name, `${collection}.bson`));
    }
  }
}

async function insertAll(collection: mongoose.mongo.Collection, file: string): Promise<void> {
  let batch: mongoose.mongo.Document[] = [];
  const flush = async (): Promise<void> => {
    if (batch.length > 0) await collection.insertMany(batch, { writeConcern: { w: 'majority', j: true } });
    batch = [];
  };
  for await (const document of documentsOf(file)) {
    if (batch.push(document) === batchSize) await flush();
  }
  await flush();
}

/** BSON documents one after the other; each begins with its own length. */
async function* documentsOf(file: string): AsyncGenerator<mongoose.mongo.Document> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of createReadStream(file)) {
    rest = Buffer.concat([rest, chunk as Buffer]);
    while (rest.length >= 4 && rest.length >= rest.readInt32LE(0)) {
      const length = rest.readInt32LE(0);
      yield BSON.deserialize(rest.subarray(0, length), { promoteValues: false, promoteLongs: false });
      rest = rest.subarray(length);
    }
  }
  if (rest.length > 0) throw new Error(`${file} ends in the middle of a document`);
}

/** The server gives an index the version that it knows itself. */
function withoutVersion(index: Index): mongoose.mongo.IndexDescription {
  const own: Index = { ...index };
  delete own.v;
  return own;
}
