import { parseArgs } from 'node:util';

export const usage = `Usage: bluewave doctor --url https://chat.example.com [options]

Looks at an installation from where this command runs. Every finding that is not ok says what to do.
Ends with 0 when nothing failed, 1 when something did, 2 when the arguments are wrong.

  --url URL               the gateway, as clients reach it
  --origin ORIGIN         an origin of your web app, e.g. https://app.example.com: checks CORS of gateway and bucket
  --accounts A:PW,B:PW    two accounts to send a message with, by username or e-mail (or BLUEWAVE_DOCTOR_ACCOUNTS);
                          without it two are registered, called doctor_..., which stay
  --no-message            registers nobody and sends nothing
  --idle-seconds N        also holds a silent WebSocket for N seconds, as a phone in a pocket does (try 60)
  --mongodb-url URL       durability of MongoDB (or MONGODB_URL); the user needs the role clusterMonitor
  --redis-url URL         durability of Redis (or REDIS_URL)
  --nats-url URL          durability of NATS (or NATS_URL)
  --nats-monitor URL      http://host:8222: how often JetStream syncs to disk (or NATS_MONITOR_URL)
  --fcm-credentials FILE  the Firebase service account that push uses (or FCM_CREDENTIALS_FILE)
  --ca FILE               a CA of your own for the certificate of --url
  --json                  one line of JSON instead of text
`;

export type DoctorOptions = {
  url: URL;
  origin: string | undefined;
  accounts: { identifier: string; password: string }[] | undefined;
  message: boolean;
  idleSeconds: number;
  mongodbUrl: string | undefined;
  redisUrl: string | undefined;
  natsUrl: string | undefined;
  natsMonitorUrl: string | undefined;
  fcmCredentials: string | undefined;
  /** Clear-text FCM endpoint of a development platform. */
  fcmEndpoint: string | undefined;
  ca: string | undefined;
  json: boolean;
};

/** Wrong arguments: the message says which. */
export class UsageError extends Error {
  override name = 'UsageError';
}

function urlOf(value: string | undefined): URL {
  if (value === undefined) throw new UsageError('--url is needed: the address of the gateway, as clients reach it');
  const url = URL.parse(value);
  if (url === null || !/^https?:$/.test(url.protocol)) throw new UsageError(`--url ${value} is no http or https URL`);
  return url;
}

function accountsOf(value: string | undefined): DoctorOptions['accounts'] {
  if (value === undefined || value === '') return undefined;
  const accounts = value.split(',').map((pair) => {
    const [identifier = '', ...rest] = pair.split(':');
    return { identifier, password: rest.join(':') };
  });
  if (accounts.length !== 2 || accounts.some(({ identifier, password }) => !identifier || !password)) {
    throw new UsageError('--accounts takes two accounts: alice:password,bob:password');
  }
  return accounts;
}

const parse = (args: string[]) =>
  parseArgs({
    args,
    options: {
      ...{ url: { type: 'string' }, origin: { type: 'string' }, accounts: { type: 'string' } },
      ...{ 'no-message': { type: 'boolean' }, 'idle-seconds': { type: 'string', default: '0' } },
      ...{ 'mongodb-url': { type: 'string' }, 'redis-url': { type: 'string' }, 'nats-url': { type: 'string' } },
      ...{ 'nats-monitor': { type: 'string' }, 'fcm-credentials': { type: 'string' }, ca: { type: 'string' } },
      ...{ json: { type: 'boolean' }, help: { type: 'boolean' } },
    },
  }).values;

function parsed(args: string[]): ReturnType<typeof parse> {
  try {
    return parse(args);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** @returns undefined when help was asked for. @throws UsageError */
export function readOptions(args: string[], env: NodeJS.ProcessEnv): DoctorOptions | undefined {
  const values = parsed(args);
  if (values.help) return undefined;
  const idleSeconds = Number(values['idle-seconds']);
  if (!(idleSeconds >= 0 && idleSeconds <= 3_600)) throw new UsageError('--idle-seconds takes 0 to 3600');
  const from = (flag: string | undefined, variable: string) => flag ?? (env[variable] || undefined);
  return {
    url: urlOf(values.url),
    origin: values.origin?.replace(/\/$/, ''),
    accounts: accountsOf(from(values.accounts, 'BLUEWAVE_DOCTOR_ACCOUNTS')),
    message: values['no-message'] !== true,
    idleSeconds,
    mongodbUrl: from(values['mongodb-url'], 'MONGODB_URL'),
    redisUrl: from(values['redis-url'], 'REDIS_URL'),
    natsUrl: from(values['nats-url'], 'NATS_URL'),
    natsMonitorUrl: from(values['nats-monitor'], 'NATS_MONITOR_URL'),
    fcmCredentials: from(values['fcm-credentials'], 'FCM_CREDENTIALS_FILE'),
    fcmEndpoint: env['FCM_ENDPOINT'] || undefined,
    ca: values.ca,
    json: values.json === true,
  };
}
