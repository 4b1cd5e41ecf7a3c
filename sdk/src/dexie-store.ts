import { Dexie, type Table } from 'dexie';
import type { HeldConversation, HeldMessage, OutboxItem, Store, StoreBatch } from './store/store.ts';

export type DexieStoreOptions = {
  /** Name of the database; one for each user of a device keeps their messages apart. */
  name: string;
  /** Other than the global ones: for tests, and where there are none. */
  indexedDB?: { open: Function };
  IDBKeyRange?: { bound: Function; lowerBound: Function; upperBound: Function };
};

type Row<T> = { key: string; value: T };
type Tables = {
  conversations: Table<Row<HeldConversation>, string>;
  messages: Table<Row<HeldMessage[]>, string>;
  outbox: Table<Row<OutboxItem>, string>;
  values: Table<Row<string>, string>;
};

/** A store in IndexedDB: what a web client keeps survives reloads, and being offline. */
export function createDexieStore({ name, ...given }: DexieStoreOptions): Store {
  // The globals of this moment: Dexie itself would take those of the moment when it was loaded.
  const factories = { ...globalFactories(), ...given };
  const database = new Dexie(name, { ...factories, chromeTransactionDurability: 'strict' });
  database.version(1).stores({ conversations: 'key', messages: 'key', outbox: 'key', values: 'key' });
  const table = <T>(which: string): Table<Row<T>, string> => database.table(which);
  const tables: Tables = {
    conversations: table('conversations'),
    messages: table('messages'),
    outbox: table('outbox'),
    values: table('values'),
  };
  const all = Object.values(tables);
  return {
    load: () =>
      database.transaction('r', all, async () => ({
        conversations: valuesOf(await tables.conversations.toArray()),
        outbox: valuesOf(await tables.outbox.toArray()).sort((one, other) => one.order - other.order),
        values: Object.fromEntries((await tables.values.toArray()).map(({ key, value }) => [key, value])),
      })),
    messages: async (conversationId) => (await tables.messages.get(conversationId))?.value ?? [],
    write: (batch) => database.transaction('rw', all, () => writeAll(tables, batch)),
    clear: () =>
      database.transaction('rw', all, async () => {
        await Promise.all(all.map((one) => one.clear()));
      }),
    close: async () => database.close(),
  };
}

function globalFactories(): Omit<DexieStoreOptions, 'name'> {
  const { indexedDB, IDBKeyRange } = globalThis as Omit<DexieStoreOptions, 'name'>;
  return { ...(indexedDB ? { indexedDB } : {}), ...(IDBKeyRange ? { IDBKeyRange } : {}) };
}

async function writeAll(tables: Tables, batch: StoreBatch): Promise<void> {
  await tables.conversations.bulkDelete(batch.goneConversations);
  await tables.messages.bulkDelete(batch.goneConversations);
  await tables.outbox.bulkDelete(batch.goneOutbox);
  await tables.conversations.bulkPut(batch.conversations.map((value) => ({ key: value.id, value })));
  await tables.messages.bulkPut(batch.messages.map(({ conversationId, messages }) => row(conversationId, messages)));
  await tables.outbox.bulkPut(batch.outbox.map((value) => ({ key: value.id, value })));
  await tables.values.bulkPut(batch.values.map(({ name, value }) => ({ key: name, value })));
}

function row<T>(key: string, value: T): Row<T> {
  return { key, value };
}

function valuesOf<T>(rows: Row<T>[]): T[] {
  return rows.map(({ value }) => value);
}
