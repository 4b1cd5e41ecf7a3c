import { Redis } from 'ioredis';
import mongoose from 'mongoose';
import { connect } from 'nats';
import { PlatformError } from '../platform-error.ts';

const TIMEOUT_MS = 1_000;

/** Connects to a MongoDB server, hands it to `use` and closes the connection. */
export const withMongo = async <T>(
  url: string,
  use: (client: mongoose.mongo.MongoClient) => Promise<T>,
): Promise<T> => {
  const client = new mongoose.mongo.MongoClient(url, {
    serverSelectionTimeoutMS: TIMEOUT_MS,
    connectTimeoutMS: TIMEOUT_MS,
    socketTimeoutMS: 5_000,
  });
  try {
    return await use(client);
  } finally {
    await client.close();
  }
};

/** Whether a MongoDB server takes majority writes: it must be the primary of a replica set. */
export const checkMongo = (url: string): Promise<void> =>
  withMongo(url, async (client) => {
    const hello = await client.db('admin').command({ hello: 1 });
    if (typeof hello['setName'] !== 'string' && hello['msg'] !== 'isdbgrid')
      throw new PlatformError(
        `${withoutSecrets(url)} is no replica set: start mongod with --replSet and run rs.initiate().`,
      );
    if (hello['isWritablePrimary'] !== true) throw new Error('mongod is not primary yet');
  });

/** Whether a Redis server answers. */
export const checkRedis = async (url: string): Promise<void> => {
  const client = new Redis(url, {
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    connectTimeout: TIMEOUT_MS,
    commandTimeout: TIMEOUT_MS,
  });
  // The failure of connect() says it already; without a listener ioredis prints it as well.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.ping();
  } finally {
    client.disconnect();
  }
};

/** Whether a NATS server answers and has JetStream. */
export const checkNats = async (url: string): Promise<void> => {
  const connection = await connect({ servers: url.split(','), reconnect: false, timeout: TIMEOUT_MS });
  try {
    const manager = await connection.jetstreamManager({ timeout: TIMEOUT_MS });
    await manager.getAccountInfo();
  } catch (error) {
    throw new PlatformError(
      `JetStream is missing at ${withoutSecrets(url)}: start that nats-server with -js, or unset NATS_URL.`,
      { cause: error },
    );
  } finally {
    await connection.close();
  }
};

/** A connection string without user and password, fit to be shown. */
export const withoutSecrets = (url: string): string => url.replace(/\/\/[^@/]*@/, '//');
