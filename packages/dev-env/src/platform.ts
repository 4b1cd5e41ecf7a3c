import { ensureBucket } from './engines/ensure-bucket.ts';
import { newS3Secret, startEngines, type Engines } from './engines/engines.ts';
import { fcmStandIn } from './engines/fcm-stand-in.ts';
import type { ProcessHost } from './engines/process-host.ts';
import { cacheFolder } from './find/cache-folder.ts';
import { projectRoot } from './paths.ts';
import { explain } from './platform-error.ts';
import { DataFolder, newTokenKey } from './platform/data-folder.ts';
import { platformBlock } from './platform/platform-block.ts';
import { silentOutput, streamOutput, type PlatformOutput } from './platform/platform-output.ts';
import { platformPorts, type PlatformPorts } from './platform/platform-ports.ts';
import { ProcessTable } from './platform/process-table.ts';
import { seededUsers, seedUsers, type SeededUser } from './platform/seed-users.ts';
import { serviceProcesses, type ServiceProcesses } from './platform/service-processes.ts';
import { readFileSync } from 'node:fs';
import type { ProcessEnd } from './processes/supervised-process.ts';

/** How a platform shall be. */
export type PlatformOptions = {
  /** Keeps the data, the logs (`logs/<process>.log`) and `platform.json`. One platform at a time uses it. */
  dataDir: string;
  /** Port of the first gateway; the next ones follow, the FCM stand-in takes `port` + 9. 0, the default, finds free ones. */
  port?: number;
  /** Empties the data first. Data in engines given by URL is left alone. */
  fresh?: boolean;
  /** Rate limits, on by default. */
  limits?: boolean;
  /** Writes nothing to stdout; the default. */
  quiet?: boolean;
  /** How many gateways, 2 by default, at most 9. */
  gateways?: number;
  /** How many of each service behind the gateways, 1 by default; the second `chat` is called `chat-2`. */
  replicas?: number;
  /** Settings added to the environment of the services (such as `ACCESS_TOKEN_SECONDS`) and used to find engines. */
  env?: Record<string, string>;
  /** Gives up starting, and ends what was started. */
  signal?: AbortSignal;
  /** Where to show what happens, instead of `quiet`. */
  output?: PlatformOutput;
};

/** A platform that runs: engines, FCM stand-in, all services. URLs carry no slash at the end. */
export type Platform = {
  /** Base URLs of the gateways, such as `http://127.0.0.1:8080`. */
  readonly gateways: readonly string[];
  /** Base URL of the FCM stand-in: `GET /inbox?token=`, `POST /faults`, the phones page at `/`. */
  readonly fcm: string;
  /** Endpoint of the S3 server. */
  readonly s3: string;
  readonly engines: { readonly mongodb: string; readonly redis: string; readonly nats: string };
  /** alice, bob and carol; they are registered. */
  readonly users: readonly SeededUser[];
  /** The Prometheus endpoint of each service. */
  readonly metrics: readonly string[];
  readonly dataDir: string;
  /** All processes that run now: `auth chat gateway-1 gateway-2 media push mongod redis nats s3 fcm`. */
  processes(): { name: string; pid: number }[];
  /**
   * Sends a signal to a process. Resolves when it is dead, with how it ended (it is restarted by itself, on the same
   * ports and data); at once for SIGSTOP and SIGCONT.
   */
  kill(name: string, signal: NodeJS.Signals): Promise<ProcessEnd | undefined>;
  /** Waits until a process serves again after the last `kill`; rejects when `timeoutMs` have passed before. */
  waitRestarted(name: string, timeoutMs: number): Promise<void>;
  /** Ends everything in order: gateways, services, engines. Takes at most 35 s. The data stays. Can be called twice. */
  stop(): Promise<void>;
};

const BUCKET = 'bluewave';

const isNotForServices = (name: string): boolean =>
  /^npm_/i.test(name) || ['NODE_OPTIONS', 'INIT_CWD', 'MONGODB_DATABASE'].includes(name);

/** The environment without what npm and jest added for themselves, and without what would make services share data. */
const cleanEnvironment = (added: Record<string, string> = {}): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !isNotForServices(name))),
  ...added,
});

const outputOf = (options: PlatformOptions): PlatformOutput => {
  if (options.output !== undefined) return options.output;
  if (options.quiet ?? true) return silentOutput;
  const write = (text: string): void => void process.stdout.write(text);
  return streamOutput(write, { quiet: false, colour: process.stdout.isTTY, now: () => new Date() });
};

/**
 * Starts the whole platform on this machine, the same way `npm start` does: engines, FCM stand-in, auth, chat, media,
 * push and the gateways as processes of their own, from what was built into `dist`; waits until all are ready, registers
 * alice, bob and carol, and writes `platform.json`. Should this process die, in whatever way, everything else ends too.
 *
 * ```ts
 * const platform = await startPlatform({ dataDir: await mkdtemp(path.join(os.tmpdir(), 'e2e-')), limits: false });
 * const response = await fetch(`${platform.gateways[0]}/api/v1/auth/login`, { method: 'POST', ... });
 * await platform.kill('chat', 'SIGKILL');
 * await platform.waitRestarted('chat', 5_000);
 * await platform.stop();
 * ```
 *
 * @throws PlatformError, one sentence for a person, when something is missing, in use or does not start
 */
export const startPlatform = async (options: PlatformOptions): Promise<Platform> => {
  const startedAt = performance.now();
  const output = outputOf(options);
  const folder = await DataFolder.take(options.dataDir, output.say);
  const table = new ProcessTable(folder, output);
  try {
    if (options.fresh === true) folder.empty();
    const signal = options.signal ?? new AbortController().signal;
    const ports = await platformPorts(options.port ?? 0, options.gateways ?? 2);
    const parts = await startParts({ options, signal, output, ports, folder, table });
    const platform = describe(parts, table, folder);
    table.publish(platform);
    output.block(
      platformBlock({ ...platform, limits: options.limits ?? true, afterMs: performance.now() - startedAt }),
    );
    return platform;
  } catch (error) {
    await table.close();
    throw explain(error, 'starting the platform');
  }
};

type Start = {
  options: PlatformOptions;
  signal: AbortSignal;
  output: PlatformOutput;
  ports: PlatformPorts;
  folder: DataFolder;
  table: ProcessTable;
};

type Parts = { engines: Engines; fcm: string; services: ServiceProcesses; ports: PlatformPorts };

const startParts = async (start: Start): Promise<Parts> => {
  const { options, signal, output, ports, folder, table } = start;
  const env = cleanEnvironment(options.env);
  const host: ProcessHost = { keeper: table.keeper, listener: table, dataDir: folder.path, env };
  const context = {
    env,
    cacheDir: cacheFolder(env, projectRoot),
    platform: process.platform,
    arch: process.arch,
    say: output.say,
    signal,
  };
  const fcm = fcmStandIn(host, ports.fcm);
  table.add('engine', [fcm.process]);
  const s3Secret = readFileSync(folder.kept('s3-secret', newS3Secret), 'utf8');
  const engines = await startEngines(host, context, { s3Secret });
  table.add('engine', engines.processes);
  const [services] = await Promise.all([
    serviceProcesses(host, output, {
      engines,
      fcm: fcm.url,
      bucket: BUCKET,
      tokenKeysFile: folder.kept('token-keys.pem', newTokenKey),
      gatewayPorts: ports.gateways,
      replicas: options.replicas ?? 1,
      limits: options.limits ?? true,
    }),
    isPrepared(folder, engines, 's3') ? undefined : ensureBucket(engines.s3, BUCKET),
    fcm.process.start(signal),
  ]);
  await startServices(services, start);
  await seed(start, engines);
  return { engines, fcm: fcm.url, services, ports };
};

const startServices = async (services: ServiceProcesses, { table, signal }: Start): Promise<void> => {
  const backends = services.backends.map((one) => one.process);
  const gateways = services.gateways.map((one) => one.process);
  table.add('service', backends);
  table.add('gateway', gateways);
  await Promise.all(backends.map((one) => one.start(signal)));
  await Promise.all(gateways.map((one) => one.start(signal)));
};

/**
 * Whether an earlier run prepared an engine's data. Only sure for our own: one given by URL may have been emptied since.
 */
const isPrepared = (folder: DataFolder, engines: Engines, name: string): boolean =>
  folder.has('seeded') && engines.processes.some((one) => one.name === name);

const seed = async ({ folder, ports, signal }: Start, engines: Engines): Promise<void> => {
  if (isPrepared(folder, engines, 'mongod')) return;
  await seedUsers(urlOf(ports.gateways[0] ?? 0), signal);
  folder.kept('seeded', () => `${seededUsers.map((user) => user.username).join(' ')}\n`);
};

const urlOf = (port: number): string => `http://127.0.0.1:${port}`;

const describe = ({ engines, fcm, services, ports }: Parts, table: ProcessTable, folder: DataFolder): Platform => ({
  gateways: ports.gateways.map(urlOf),
  fcm,
  s3: engines.s3.endpoint,
  engines: { mongodb: engines.mongodb, redis: engines.redis, nats: engines.nats },
  users: seededUsers,
  metrics: [...services.backends, ...services.gateways].map((one) => one.metrics),
  dataDir: folder.path,
  processes: () => table.running(),
  kill: (name, signal) => table.get(name).kill(signal),
  waitRestarted: (name, timeoutMs) => table.get(name).waitRestarted(timeoutMs),
  stop: () => table.close(),
});
