import { randomBytes } from 'node:crypto';
import { locateMongod } from '../find/locate-mongod.ts';
import { locateNats } from '../find/locate-nats.ts';
import { locateRedis } from '../find/locate-redis.ts';
import { locateS3 } from '../find/locate-s3.ts';
import type { LocateContext } from '../find/locate.ts';
import { freePort } from '../net/free-port.ts';
import { waitUntil } from '../net/wait-until.ts';
import { PlatformError, messageOf } from '../platform-error.ts';
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
type EngineContext = LocateContext & { signal: AbortSignal };

const GIVEN_TIMEOUT_MS = 5_000;

const checkGiven = async (variable: string, url: string, check: (url: string) => Promise<void>): Promise<void> => {
  try {
    await waitUntil(() => check(url), { timeoutMs: GIVEN_TIMEOUT_MS, everyMs: 250 });
  } catch (error) {
    if (error instanceof PlatformError) throw error;
    const reason = messageOf(error);
    throw new PlatformError(`Nothing usable answers at ${variable}=${withoutSecrets(url)} (${reason}).`, {
      cause: error,
    });
  }
};

const startPart = async (
  given: { variable: string; url: string | undefined; check: (url: string) => Promise<void> },
  create: () => Promise<{ url: string; process: SupervisedProcess }>,
  signal: AbortSignal,
): Promise<Part & { url: string }> => {
  if (given.url) {
    await checkGiven(given.variable, given.url, given.check);
    return { url: given.url };
  }
  const made = await create();
  await made.process.start(signal);
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

const startS3 = async (host: ProcessHost, context: EngineContext, secret: string): Promise<Part & { s3: S3Access }> => {
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
  await process.start(context.signal);
  return { s3, process };
};

const startMongod = (host: ProcessHost, context: EngineContext): Promise<Part & { url: string }> =>
  startPart(
    { variable: 'MONGODB_URL', url: context.env['MONGODB_URL'], check: checkMongo },
    async () => {
      const [binary, port] = [await locateMongod(context), await freePort()];
      return { url: mongodUrl(port), process: mongod(host, binary, port) };
    },
    context.signal,
  );

const startRedis = (host: ProcessHost, context: EngineContext): Promise<Part & { url: string }> =>
  startPart(
    { variable: 'REDIS_URL', url: context.env['REDIS_URL'], check: checkRedis },
    async () => {
      const [binary, port] = [await locateRedis(context), await freePort()];
      return { url: redisUrl(port), process: redis(host, binary, port) };
    },
    context.signal,
  );

const startNats = (host: ProcessHost, context: EngineContext): Promise<Part & { url: string }> =>
  startPart(
    { variable: 'NATS_URL', url: context.env['NATS_URL'], check: checkNats },
    async () => {
      const [binary, port] = [await locateNats(context), await freePort()];
      return { url: natsUrl(port), process: nats(host, binary, port) };
    },
    context.signal,
  );

/** A key for an S3 server that only this machine reaches. */
export const newS3Secret = (): string => randomBytes(24).toString('base64url');

/**
 * Brings the engines up, each from where it is found first: a URL in the environment (`MONGODB_URL`, `REDIS_URL`,
 * `NATS_URL`, `S3_ENDPOINT` with `S3_ACCESS_KEY_ID` and `S3_SECRET_ACCESS_KEY`), PATH, the cache, and then the ways that
 * take a moment. All at once; when one fails the others are given up and stopped.
 *
 * @throws PlatformError saying what is missing or what did not start
 */
export const startEngines = async (
  host: ProcessHost,
  context: EngineContext,
  options: { s3Secret: string },
): Promise<Engines> => {
  const failed = new AbortController();
  const started: SupervisedProcess[] = [];
  const signal = AbortSignal.any([context.signal, failed.signal]);
  // What is given up needs no words: the first failure tells the story.
  const say = (text: string): void => (signal.aborted ? undefined : context.say(text));
  const inner = { ...context, signal, say };
  const part = async <T extends Part>(work: Promise<T>): Promise<T> => {
    try {
      const made = await work;
      if (made.process !== undefined) started.push(made.process);
      return made;
    } catch (error) {
      failed.abort(error);
      throw error;
    }
  };
  const work = [
    part(startMongod(host, inner)),
    part(startRedis(host, inner)),
    part(startNats(host, inner)),
    part(startS3(host, inner, options.s3Secret)),
  ] as const;
  try {
    const [mongodb, redisPart, natsPart, s3] = await Promise.all(work);
    return { mongodb: mongodb.url, redis: redisPart.url, nats: natsPart.url, s3: s3.s3, processes: started };
  } catch (error) {
    await Promise.allSettled(work);
    await Promise.all(started.map((one) => one.stop()));
    throw error;
  }
};
