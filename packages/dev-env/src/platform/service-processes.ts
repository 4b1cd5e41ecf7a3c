import path from 'node:path';
import type { Engines } from '../engines/engines.ts';
import { hosted, logFileOf, type ProcessHost } from '../engines/process-host.ts';
import { freePort } from '../net/free-port.ts';
import { waitUntil } from '../net/wait-until.ts';
import { projectRoot } from '../paths.ts';
import type { SupervisedProcess } from '../processes/supervised-process.ts';
import type { PlatformOutput } from './platform-output.ts';
import { logFile } from './log-file.ts';
import { describeProblem, parseLogLine, type LogLine } from './log-line.ts';

/** A service under supervision. `metrics` is where Prometheus would scrape it. */
export type ServiceProcess = { process: SupervisedProcess; metrics: string };

/** The services of one platform: first the back ends, then the gateways that need them. */
export type ServiceProcesses = { backends: ServiceProcess[]; gateways: ServiceProcess[] };

const BACKENDS = ['auth', 'chat', 'media', 'push'] as const;
type Backend = (typeof BACKENDS)[number];
const START_TIMEOUT_MS = 45_000;
/** As long as Kubernetes gives a pod, its preStop time apart: a gateway takes its time over many sockets. */
const STOP_TIMEOUT_MS = 30_000;
const TAIL_LINES = 50;

/** What the services are told, beside their ports. */
export type ServiceSettings = {
  engines: Engines;
  fcm: string;
  bucket: string;
  tokenKeysFile: string;
  gatewayPorts: readonly number[];
  /** Of each service behind the gateways. */
  replicas: number;
  limits: boolean;
};

const commonSettings = (settings: ServiceSettings): Record<string, string> => ({
  NODE_ENV: 'development',
  BLUEWAVE_ENV: 'development',
  BIND_HOST: '127.0.0.1',
  // The engines are up before: what fails here is to be seen at once.
  START_PATIENCE_SECONDS: '0',
  // The services run on later versions of Node; that this one is old is no news for each of them.
  AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
  RATE_LIMITS: settings.limits ? 'on' : 'off',
  MONGODB_URL: settings.engines.mongodb,
  REDIS_URL: settings.engines.redis,
  NATS_URL: settings.engines.nats,
});

const ownSettings = (settings: ServiceSettings): Record<Backend, Record<string, string>> => {
  const { s3 } = settings.engines;
  return {
    auth: { DEV_ECHO_CODES: 'true', TOKEN_KEYS_FILE: settings.tokenKeysFile },
    chat: {},
    media: {
      S3_ENDPOINT: s3.endpoint,
      S3_REGION: s3.region,
      S3_BUCKET: settings.bucket,
      S3_ACCESS_KEY_ID: s3.accessKeyId,
      S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
      S3_FORCE_PATH_STYLE: 'true',
    },
    push: { FCM_PROJECT_ID: 'bluewave-local', FCM_ENDPOINT: settings.fcm },
  };
};

/** What went wrong, from the last lines of a service: its last error, else the line of a crash that names one. */
const lastWords = (tail: readonly LogLine[]): string => {
  const error = tail.findLast((line) => line.level === 'error' || line.level === 'fatal');
  const crash = tail.findLast((line) => /^\w*Error\b/.test(line.message));
  const line = error ?? crash ?? tail.at(-1);
  return line === undefined ? '' : describeProblem(line);
};

const isReady = async (adminPort: number, signal: AbortSignal): Promise<void> => {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(2_000)]);
  const response = await fetch(`http://127.0.0.1:${adminPort}/readyz`, { signal: limit });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`it is not ready (${response.status})`);
};

const serviceProcess = async (
  host: ProcessHost,
  output: PlatformOutput,
  service: { name: string; program: string; env: Record<string, string> },
): Promise<ServiceProcess> => {
  const adminPort = await freePort();
  const keep = logFile(logFileOf(host, service.name));
  const tail: LogLine[] = [];
  const process = hosted(host, {
    name: service.name,
    command: globalThis.process.execPath,
    args: ['--max-semi-space-size=32', path.join(projectRoot, 'services', service.program, 'dist', 'main.js')],
    cwd: projectRoot,
    // The log files follow every message by its trace id; what is shown begins at info.
    env: { LOG_LEVEL: host.env['LOG_LEVEL'] ?? 'debug', ...service.env, ADMIN_PORT: String(adminPort) },
    onLine: (line, stream) => {
      if (line.trim() === '') return;
      tail.push(parseLogLine(line, service.name, stream, new Date()));
      if (tail.length > TAIL_LINES) tail.shift();
      keep(line);
      output.line(service.name, line, stream);
    },
    lastWords: () => lastWords(tail),
    ready: (signal) => waitUntil(() => isReady(adminPort, signal), { signal, timeoutMs: START_TIMEOUT_MS }),
    stopTimeoutMs: STOP_TIMEOUT_MS,
  });
  return { process, metrics: `http://127.0.0.1:${adminPort}/metrics` };
};

/** The gRPC ports of each service, one for each replica. */
const grpcPortsOf = async (replicas: number): Promise<Map<Backend, number[]>> => {
  const ports = new Map<Backend, number[]>();
  for (const name of BACKENDS) {
    const own: number[] = [];
    while (own.length < replicas) own.push(await freePort());
    ports.set(name, own);
  }
  return ports;
};

/** Where a service is found. Chat's callers choose among its replicas by themselves, gRPC does for the others. */
const addressOf = (name: Backend, ports: readonly number[]): string => {
  const list = ports.map((port) => `127.0.0.1:${port}`).join(',');
  return name === 'chat' || ports.length === 1 ? list : `ipv4:${list}`;
};

/** Prepares (does not start) every service of a platform, each with the environment of its `config.ts`. */
export const serviceProcesses = async (
  host: ProcessHost,
  output: PlatformOutput,
  settings: ServiceSettings,
): Promise<ServiceProcesses> => {
  const grpcPorts = await grpcPortsOf(settings.replicas);
  const addresses = Object.fromEntries(
    [...grpcPorts].map(([name, ports]) => [`${name.toUpperCase()}_ADDRESS`, addressOf(name, ports)]),
  );
  const common = { ...commonSettings(settings), ...addresses };
  const own = ownSettings(settings);
  const backends = [...grpcPorts].flatMap(([name, ports]) =>
    ports.map((port, index) =>
      serviceProcess(host, output, {
        name: index === 0 ? name : `${name}-${index + 1}`,
        program: name,
        env: { ...common, ...own[name], GRPC_PORT: String(port) },
      }),
    ),
  );
  const gateways = settings.gatewayPorts.map((port, index) =>
    serviceProcess(host, output, {
      name: `gateway-${index + 1}`,
      program: 'gateway',
      env: { ...common, HTTP_PORT: String(port), PUBLIC_URL: `http://127.0.0.1:${port}` },
    }),
  );
  return { backends: await Promise.all(backends), gateways: await Promise.all(gateways) };
};
