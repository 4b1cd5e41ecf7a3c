import { ConfigError } from '@bluewave/runtime/config';
import type { Logger } from '@bluewave/runtime/logger';
import mongoose, { type Connection } from 'mongoose';
import { explainConnectFailure, standalone } from './explain-failure.ts';
import { settleWrites } from './settle-writes.ts';

settleWrites();

/** How long one operation may take on the server, and a socket may be silent, in milliseconds. */
export const operationMs = 1_500;

/** What is acknowledged survives the loss of any minority of the members, power failure included. */
export const durable = { writeConcern: { w: 'majority', j: true } } as const;
/** Reads only what can no longer be rolled back. */
export const committed = { readConcern: { level: 'majority' } } as const;

export type MongoOptions = {
  url: string;
  database: string;
  /** Shown in the server's logs. */
  appName: string;
  log: Logger;
  /** Largest number of sockets of this process. */
  poolSize?: number;
};

/**
 * A mongoose connection of its own that fails fast: nothing is buffered while the database is away, selection takes
 * at most 1 s, a silent socket ends after the operation's time. Resolves once the first connection stands.
 * @throws ConfigError when it can never be used (no replica set), NotYetError when nothing usable answers yet.
 */
export async function connectMongo(options: MongoOptions): Promise<Connection> {
  mongoose.set('bufferCommands', false);
  const connection = mongoose.createConnection(options.url, {
    dbName: options.database,
    appName: options.appName,
    bufferCommands: false,
    autoIndex: false,
    autoCreate: false,
    serverSelectionTimeoutMS: 1_000,
    connectTimeoutMS: 1_000,
    socketTimeoutMS: operationMs * 2,
    heartbeatFrequencyMS: 1_000,
    maxPoolSize: options.poolSize ?? 32,
    minPoolSize: 2,
    waitQueueTimeoutMS: 1_000,
    readPreference: 'primary',
    retryWrites: true,
    retryReads: true,
    w: 'majority',
    journal: true,
  });
  // Before the first connection stands, the rejection below says all there is to say.
  connection.on('error', () => undefined);
  try {
    await connection.asPromise();
    await refuseStandalone(connection);
    watch(connection, options.log);
    return connection;
  } catch (error) {
    await connection.close(true);
    if (error instanceof ConfigError) throw error;
    throw await explainConnectFailure(options.url, error);
  }
}

/** Says when the database goes and comes; a connection that we close ourselves is no news. */
function watch(connection: Connection, log: Logger): void {
  let closing = false;
  connection.on('disconnecting', () => void (closing = true));
  connection.on('disconnected', () => {
    if (!closing) log.warn('MongoDB is away');
  });
  connection.on('reconnected', () => log.info('MongoDB is back'));
  connection.on('error', (error: unknown) => log.error({ err: error }, 'MongoDB connection failed'));
}

/** Majority acknowledgement, and so every guarantee, needs a replica set (one member is enough). */
async function refuseStandalone(connection: Connection): Promise<void> {
  const hello = await connection.db?.admin().command({ hello: 1 });
  if (typeof hello?.['setName'] === 'string' || hello?.['msg'] === 'isdbgrid') return;
  throw new ConfigError(standalone);
}
