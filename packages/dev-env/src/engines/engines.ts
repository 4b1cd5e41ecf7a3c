import { randomBytes } from 'node:crypto';
import { locateMongod } from '../find/locate-mongod.ts';
import { locateNats } from '../find/locate-nats.ts';
import { locateRedis } from '../find/locate-redis.ts';
import { locateS3 } from '../find/locate-s3.ts';
import type { LocateContext } from '../find/locate.ts';
import { freePort } from '../net/free-port.ts';
import { waitUntil } from '../net/wait-until.ts';
import { PlatformError } from '../platform-error.ts';
import type { SupervisedProcess } from '../processes/supervised-process.ts';
import { checkMongo, checkNats, checkRedis, withoutSecrets } from './check-engine.ts';
import { mongod, mongodUrl } from './mongod.ts';
import { nats, natsUrl } from './nats.ts';
import type { ProcessHost } from './process-host.ts';
import { redis, redisUrl } from './redis.ts';
import { s3Server, type S3Access } from './s3-server.ts';

/** The engines a platform stands on. `processes` are those started here; engines given by URL have none. */
export type Engines = {
  mongodb: string;
  redis: string;
  nats: string;
  s3: S3Access;
  processes: SupervisedProcess[];
};

type Part = { process?: SupervisedProcess };

const GIVEN_TIMEOUT_MS = 5_000;

const checkGiven = async (variable: string, url: string, check: (url: string) => Promise<void>): Promise<void> => {
  try {
    await waitUntil(() => check(url), { timeoutMs: GIVEN_TIMEOUT_MS, everyMs: 250 });
  } catch (error) {
    if (error instanceof PlatformError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new PlatformError(`Nothing usable answers at ${variable}=${withoutSecrets(url)} (${reason}).`, {
      cause: error,
    });
  }
};

const startPart = async (
  given: { variable: string; url: string | undefined; check: (url: string) => Promise<void> },
  create: () => Promise<{ url: string; process: SupervisedProcess }>,
): Promise<Part & { url: string }> => {
  if (given.url) {
    await checkGiven(given.variable, given.url, given.check);
    return { url: given.url };
  }
  const made = await create();
  await made.process.start();
  return made;
};

const required = (env: NodeJS.ProcessEnv, name: string): string => {
  const value = env[name];
  if (!value) throw new PlatformError(`S3_ENDPOINT is set, so ${name} must be set too.`);
  return value;
};

const checkS3 = async (endpoint: string): Promise<void> => {
  // Any answer will do: an S3 server refuses an unsigned request, but it answers it.
  await (await fetch(endpoint, { signal: AbortSignal.timeout(2_000) })).arrayBuffer();
};

const startS3 = async (host: ProcessHost, context: LocateContext, secret: string): Promise<Part & { s3: S3Access }> => {
  const { env } = context;
  const endpoint = env['S3_ENDPOINT'];
  if (endpoint) {
    await checkGiven('S3_ENDPOINT', endpoint, checkS3);
    const accessKeyId = required(env, 'S3_ACCESS_KEY_ID');
    const secretAccessKey = required(env, 'S3_SECRET_ACCESS_KEY');
    return { s3: { endpoint, region: env['S3_REGION'] ?? 'us-east-1', accessKeyId, secretAccessKey } };
  }
  const s3: S3Access = {
    endpoint: `http://127.0.0.1:${await freePort()}`,
    region: 'us-east-1',
    accessKeyId: 'bluewave',
    secretAccessKey: secret,
  };
  const process = s3Server(host, await locateS3(context), s3);
  await process.start();
  return { s3, process };
};

/** A key for an S3 server that only this machine reaches. */
export const newS3Secret = (): string => randomBytes(24).toString('base64url');

/**
 * Brings the engines up, each from where it is found first: a URL in the environment (`MONGODB_URL`, `REDIS_URL`,
 * `NATS_URL`, `S3_ENDPOINT` with `S3_ACCESS_KEY_ID` and `S3_SECRET_ACCESS_KEY`), PATH, the cache, and then the ways that
 * take a moment. All at once; when one fails, those that came up are stopped.
 *
 * @throws PlatformError saying what is missing or what did not start
 */
export const startEngines = async (
  host: ProcessHost,
  context: LocateContext,
  options: { s3Secret: string },
): Promise<Engines> => {
  const { env } = context;
  const parts = await Promise.allSettled([
    startPart({ variable: 'MONGODB_URL', url: env['MONGODB_URL'], check: checkMongo }, async () => {
      const [binary, port] = [await locateMongod(context), await freePort()];
      return { url: mongodUrl(port), process: mongod(host, binary, port) };
    }),
    startPart({ variable: 'REDIS_URL', url: env['REDIS_URL'], check: checkRedis }, async () => {
      const [binary, port] = [await locateRedis(context), await freePort()];
      return { url: redisUrl(port), process: redis(host, binary, port) };
    }),
    startPart({ variable: 'NATS_URL', url: env['NATS_URL'], check: checkNats }, async () => {
      const [binary, port] = [await locateNats(context), await freePort()];
      return { url: natsUrl(port), process: nats(host, binary, port) };
    }),
    startS3(host, context, options.s3Secret),
  ]);
  const processes = parts.flatMap((part) =>
    part.status === 'fulfilled' && part.value.process !== undefined ? [part.value.process] : [],
  );
  const [mongodb, redisPart, natsPart, s3] = parts;
  if (
    mongodb.status === 'rejected' ||
    redisPart.status === 'rejected' ||
    natsPart.status === 'rejected' ||
    s3.status === 'rejected'
  ) {
    await Promise.all(processes.map((one) => one.stop()));
    throw parts.find((part) => part.status === 'rejected')?.reason;
  }
  return {
    mongodb: mongodb.value.url,
    redis: redisPart.value.url,
    nats: natsPart.value.url,
    s3: s3.value.s3,
    processes,
  };
};
