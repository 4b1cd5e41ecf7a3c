import { randomBytes, randomUUID } from 'node:crypto';
import { connectMongo } from '@bluewave/mongo/connect';
import type { AuthServiceDefinition } from '@bluewave/protos/generated/bluewave/auth/v1/AuthService';
import { createClient, type RpcClient } from '@bluewave/rpc/client';
import { type CallContext, loadService } from '@bluewave/rpc/service-definition';
import { createLogger } from '@bluewave/runtime/logger';
import type { Connection } from 'mongoose';
import { type AuthConfig, readConfig } from '../../src/config.ts';
import { type RunningAuth, startAuth } from '../../src/server.ts';
import { createModels, type Models } from '../../src/storage/models.ts';

export const silent = createLogger('test', 'silent');

/** A clock that tests move. */
export type TestClock = { now: number; read: () => number; advance(ms: number): void };

export function testClock(): TestClock {
  const clock: TestClock = {
    now: Date.now(),
    read: () => clock.now,
    advance: (ms) => void (clock.now += ms),
  };
  return clock;
}

export function engine(name: 'TEST_MONGODB_URL' | 'TEST_REDIS_URL' | 'TEST_NATS_URL'): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: the engines of the test run are not up`);
  return value;
}

export const freshDatabase = (): string => `auth_test_${randomBytes(6).toString('hex')}`;

/** A development configuration on the engines of the test run. */
export function testConfig(environment: Record<string, string> = {}): AuthConfig {
  return readConfig({
    BLUEWAVE_ENV: 'development',
    BIND_HOST: '127.0.0.1',
    GRPC_PORT: '0',
    ADMIN_PORT: '0',
    MONGODB_URL: engine('TEST_MONGODB_URL'),
    MONGODB_DATABASE: freshDatabase(),
    REDIS_URL: engine('TEST_REDIS_URL'),
    NATS_URL: engine('TEST_NATS_URL'),
    DEV_ECHO_CODES: 'true',
    ...environment,
  });
}

export type AuthFixture = {
  config: AuthConfig;
  clock: TestClock;
  auth: RunningAuth;
  call: RpcClient<AuthServiceDefinition>['call'];
  close(): Promise<void>;
};

/** An auth service in this process, called through a real gRPC channel. */
export async function startFixture(
  environment: Record<string, string> = {},
  clock = testClock(),
): Promise<AuthFixture> {
  const config = testConfig(environment);
  const auth = await startAuth(config, silent, clock.read);
  const definition = loadService<AuthServiceDefinition>('auth', 'AuthService');
  const client = createClient(definition, `127.0.0.1:${auth.grpcPort}`, 'auth', undefined);
  return {
    ...{ config, clock, auth, call: client.call },
    close: async () => {
      client.close();
      await auth.close();
      await dropDatabase(config.mongodbDatabase);
    },
  };
}

/** The collections of a service, for looking behind it. */
export async function openDatabase(database: string): Promise<{ connection: Connection; models: Models }> {
  const url = engine('TEST_MONGODB_URL');
  const connection = await connectMongo({ url, database, appName: 'auth-test', log: silent, poolSize: 8 });
  return { connection, models: createModels(connection) };
}

export async function dropDatabase(database: string): Promise<void> {
  const { connection } = await openDatabase(database);
  await connection.dropDatabase();
  await connection.close();
}

export const context = (): CallContext => ({ traceId: randomBytes(16).toString('hex'), deadline: Date.now() + 10_000 });

/** A name that no other test has. */
export const freshName = (stem = 'user'): string => `${stem}_${randomBytes(6).toString('hex')}`;

/** An address that no other test has; counters in Redis are shared by all of them. */
export const freshIp = (): string => `2001:db8:${randomBytes(2).toString('hex')}:${randomBytes(2).toString('hex')}::1`;

export const noDevice = null;
export const someDevice = (id: string = randomUUID()) => ({
  id,
  name: 'Ada’s phone',
  platform: 'ios',
  appVersion: '1.2.3',
});

export const password = 'correct horse battery';

export function registration(username = freshName()) {
  return {
    ...{ username, email: `${username}@example.com`, password, displayName: 'Ada Lovelace', phone: '' },
    ...{ device: noDevice, ip: freshIp() },
  };
}

/** The error of a call that must fail, as its code and what else a caller sees. */
export async function refusal(
  call: Promise<unknown>,
): Promise<{ code: string; fields?: string[]; retryAfterMs?: number }> {
  const reply = await call.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if ('value' in reply) throw new Error(`the call succeeded: ${JSON.stringify(reply.value)}`);
  const { code, fields, retryAfterMs } = reply.error as {
    code: string;
    fields?: { path: string }[];
    retryAfterMs?: number;
  };
  return {
    code,
    ...(fields ? { fields: fields.map(({ path }) => path) } : {}),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}
