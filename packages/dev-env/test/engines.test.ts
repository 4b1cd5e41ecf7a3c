import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { checkMongo, checkNats, checkRedis, withMongo } from '../src/engines/check-engine.ts';
import { ensureBucket } from '../src/engines/ensure-bucket.ts';
import { newS3Secret, startEngines, type Engines } from '../src/engines/engines.ts';
import type { ProcessHost } from '../src/engines/process-host.ts';
import { cacheFolder } from '../src/find/cache-folder.ts';
import { projectRoot } from '../src/paths.ts';
import { Keeper } from '../src/processes/keeper.ts';

let dataDir: string;
let keeper: Keeper;
let running: Engines[];

beforeEach(async () => {
  dataDir = await mkdtemp(path.join(os.tmpdir(), 'bluewave-engines-test-'));
  keeper = new Keeper();
  running = [];
});

const stopAll = async (): Promise<void> => {
  for (const engines of running.splice(0)) await Promise.all(engines.processes.map((one) => one.stop()));
};

afterEach(async () => {
  await stopAll();
  await keeper.close();
  await rm(dataDir, { recursive: true, force: true });
});

const env = (added: Record<string, string>): NodeJS.ProcessEnv => {
  const names = ['PATH', 'HOME', 'BLUEWAVE_CACHE', 'XDG_CACHE_HOME'];
  return { ...Object.fromEntries(names.map((name) => [name, process.env[name]])), ...added };
};

const start = async (added: Record<string, string> = {}): Promise<Engines> => {
  const listener = {
    started: () => undefined,
    died: () => undefined,
    restarted: () => undefined,
    restartFailed: () => undefined,
  };
  const host: ProcessHost = { keeper, listener, dataDir, env: env({}) };
  const context = {
    env: env({ BLUEWAVE_S3: 'embedded', ...added }),
    cacheDir: cacheFolder(process.env, projectRoot),
    platform: process.platform,
    arch: process.arch,
    say: () => undefined,
    signal: new AbortController().signal,
  };
  const engines = await startEngines(host, context, { s3Secret: newS3Secret() });
  running.push(engines);
  return engines;
};

const given = (): Record<string, string> => ({
  REDIS_URL: process.env['TEST_REDIS_URL'] ?? '',
  NATS_URL: process.env['TEST_NATS_URL'] ?? '',
});

describe('the engines', () => {
  it('given nothing, when they are started, then all four serve and are supervised', async () => {
    const engines = await start();
    await Promise.all([checkMongo(engines.mongodb), checkRedis(engines.redis), checkNats(engines.nats)]);
    await ensureBucket(engines.s3, 'photos');
    await ensureBucket(engines.s3, 'photos');
    expect(engines.processes.map((one) => one.name).sort()).toEqual(['mongod', 'nats', 'redis', 's3']);
  });

  it('given data of a run on another port, when mongod starts again, then it is primary there and has the data', async () => {
    const first = await start(given());
    const write = { writeConcern: { w: 'majority', j: true } } as const;
    await withMongo(first.mongodb, (client) => client.db('x').collection('y').insertOne({ z: 1 }, write));
    await stopAll();
    const second = await start(given());
    expect(second.mongodb).not.toBe(first.mongodb);
    const found = await withMongo(second.mongodb, (client) =>
      client
        .db('x')
        .collection('y')
        .findOne({ z: 1 }, { readConcern: { level: 'majority' } }),
    );
    expect(found).toMatchObject({ z: 1 });
  });

  it('given URLs, when they are started, then those are used and nothing runs for them', async () => {
    const added = { ...given(), MONGODB_URL: process.env['TEST_MONGODB_URL'] ?? '' };
    const engines = await start(added);
    expect(engines).toMatchObject({
      mongodb: added.MONGODB_URL,
      redis: given()['REDIS_URL'],
      nats: given()['NATS_URL'],
    });
    expect(engines.processes.map((one) => one.name)).toEqual(['s3']);
  });

  it('given a URL where nothing answers, when they are started, then one sentence names it without its password', async () => {
    const added = { ...given(), REDIS_URL: 'redis://user:secret@127.0.0.1:1' };
    await expect(start(added)).rejects.toThrow(
      /^Nothing usable answers at REDIS_URL=redis:\/\/127\.0\.0\.1:1 \(.+\)\.$/,
    );
  });

  it('given S3_ENDPOINT without keys, when they are started, then the sentence names what is missing', async () => {
    const added = { ...given(), S3_ENDPOINT: process.env['TEST_S3_ENDPOINT'] ?? '' };
    await expect(start(added)).rejects.toThrow('S3_ENDPOINT is set, so S3_ACCESS_KEY_ID must be set too.');
  });
});
