import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { ConfigError } from '@bluewave/runtime/config';
import mongoose from 'mongoose';
import { readConfig } from '../src/config.ts';
import { env } from './support/env.ts';

const required = {
  MONGODB_URL: 'mongodb://db/?replicaSet=rs0',
  REDIS_URL: 'redis://redis',
  NATS_URL: 'nats://nats',
  AUTH_ADDRESS: 'auth:50051',
  CHAT_ADDRESS: 'chat-0:50051,chat-1:50051',
};

describe('the configuration of push', () => {
  it('given only what is needed, when it is read, then the rest has its defaults and nothing is sent', () => {
    expect(readConfig(required)).toEqual({
      logLevel: 'info',
      bindHost: '0.0.0.0',
      grpcPort: 50051,
      adminPort: 9090,
      tls: undefined,
      allowedCallers: [],
      mongodbUrl: 'mongodb://db/?replicaSet=rs0',
      mongodbDatabase: 'bluewave_push',
      slowQueryMs: 200,
      redisUrl: 'redis://redis',
      natsUrl: 'nats://nats',
      natsReplicas: 1,
      authAddress: 'auth:50051',
      chatAddress: 'chat-0:50051,chat-1:50051',
      fcm: undefined,
    });
  });

  it.each([
    [{ FCM_CREDENTIALS_FILE: '/f.json' }, { credentialsFile: '/f.json', projectId: undefined, endpoint: undefined }],
    [{ FCM_PROJECT_ID: 'mine' }, { credentialsFile: undefined, projectId: 'mine', endpoint: undefined }],
    [
      { GOOGLE_APPLICATION_CREDENTIALS: '/g.json' },
      { credentialsFile: undefined, projectId: undefined, endpoint: undefined },
    ],
    [
      { FCM_ENDPOINT: 'http://127.0.0.1:1', BLUEWAVE_ENV: 'development' },
      { credentialsFile: undefined, projectId: 'bluewave-development', endpoint: 'http://127.0.0.1:1' },
    ],
  ])('given %j, when it is read, then FCM is reached so', (variables, fcm) => {
    expect(readConfig({ ...required, ...variables }).fcm).toEqual(fcm);
  });

  it.each([
    [{ FCM_ENDPOINT: 'http://127.0.0.1:1' }, 'FCM_ENDPOINT'],
    [{ FCM_ENDPOINT: 'ftp://x', BLUEWAVE_ENV: 'development' }, 'FCM_ENDPOINT'],
    [{ CHAT_ADDRESS: 'http://chat' }, 'CHAT_ADDRESS'],
    [{ REDIS_URL: '' }, 'REDIS_URL'],
    [{ MONGODB_DATABASE: 'a b' }, 'MONGODB_DATABASE'],
  ])('given %j, when it is read, then it is refused by name', (variables, name) => {
    const reading = () => readConfig({ ...required, ...variables });
    expect(reading).toThrow(ConfigError);
    expect(reading).toThrow(name);
  });
});

describe('the process of push', () => {
  it('given peers that are not there, when it starts, then it is ready; and SIGTERM ends it in order', async () => {
    const database = `test_push_${randomUUID().slice(0, 8)}`;
    const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));
    const child = spawn(process.execPath, [main], {
      env: {
        PATH: process.env['PATH'],
        BLUEWAVE_ENV: 'development',
        BIND_HOST: '127.0.0.1',
        GRPC_PORT: '0',
        ADMIN_PORT: '0',
        MONGODB_URL: env('TEST_MONGODB_URL'),
        MONGODB_DATABASE: database,
        // Nothing answers at these: losing them never keeps a process from being ready.
        REDIS_URL: 'redis://127.0.0.1:1',
        NATS_URL: 'nats://127.0.0.1:1',
        AUTH_ADDRESS: '127.0.0.1:1',
        CHAT_ADDRESS: '127.0.0.1:1',
        FCM_ENDPOINT: 'http://127.0.0.1:1',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = once(child, 'exit');
    const adminPort = await new Promise<number>((resolve, reject) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        const said = JSON.parse(line) as { adminPort?: number };
        if (said.adminPort !== undefined) resolve(said.adminPort);
      });
      exited.then(() => reject(new Error('it ended at its start')), reject);
    });
    const statusOf = async (path: string) => (await fetch(`http://127.0.0.1:${adminPort}${path}`)).status;
    expect([await statusOf('/healthz'), await statusOf('/readyz'), await statusOf('/metrics')]).toEqual([
      200, 200, 200,
    ]);
    child.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
    const mongo = await mongoose.createConnection(env('TEST_MONGODB_URL'), { dbName: database }).asPromise();
    await mongo.dropDatabase();
    await mongo.close();
  });
});
