import { readFileSync } from 'node:fs';
import { mongoEnvironment } from '@bluewave/mongo/environment';
import type { ReadPlace } from '@bluewave/mongo/relaxed-reads';
import { tlsFilesOf, type TlsFiles } from '@bluewave/rpc/credentials';
import { commonEnvironment, ConfigError, flag, integer, readEnvironment, url } from '@bluewave/runtime/config';
import { z } from 'zod';

/** Where one-time codes go. */
export type Delivery = {
  smtp: { url: string; from: string } | undefined;
  webhook: { url: string; secret: string } | undefined;
};

export type AuthConfig = {
  logLevel: string;
  bindHost: string;
  grpcPort: number;
  adminPort: number;
  tls: TlsFiles | undefined;
  allowedCallers: string[];
  mongodbUrl: string;
  mongodbDatabase: string;
  /** Commands that take this long are logged and counted, milliseconds; 0: none. */
  slowQueryMs: number;
  /** Where reads that carry no guarantee go. */
  relaxedReads: ReadPlace;
  redisUrl: string;
  natsUrl: string;
  tokens: {
    /** PEM text of EC private keys, the first signs; undefined: one is made and kept in the database. */
    keys: string | undefined;
    issuer: string;
    audience: string;
    accessSeconds: number;
    refreshSeconds: number;
  };
  /** One-time codes are part of the answer: development only. */
  echoCodes: boolean;
  rateLimits: boolean;
  delivery: Delivery;
};

const environmentShape = z.object({
  ...commonEnvironment,
  ...mongoEnvironment,
  GRPC_PORT: integer(50051, 0, 65535),
  MONGODB_URL: url('mongodb', 'mongodb+srv'),
  MONGODB_DATABASE: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,60}$/, 'must be a database name')
    .default('bluewave_auth'),
  REDIS_URL: url('redis', 'rediss'),
  NATS_URL: url('nats', 'tls'),
  TOKEN_KEYS: z.string().optional(),
  TOKEN_KEYS_FILE: z.string().optional(),
  TOKEN_ISSUER: z.string().default('bluewave'),
  TOKEN_AUDIENCE: z.string().default('bluewave'),
  ACCESS_TOKEN_SECONDS: integer(900, 1, 86_400),
  REFRESH_TOKEN_SECONDS: integer(2_592_000, 60, 31_536_000),
  DEV_ECHO_CODES: flag(false),
  RATE_LIMITS: z.enum(['on', 'off']).default('on'),
  SMTP_URL: url('smtp', 'smtps').optional(),
  SMTP_FROM: z.string().optional(),
  CODE_WEBHOOK_URL: url('http', 'https').optional(),
  CODE_WEBHOOK_SECRET: z.string().min(16, 'must have at least 16 characters').optional(),
});

type Environment = z.output<typeof environmentShape>;

/**
 * The configuration of the auth service, and the only place that reads its environment.
 * @throws ConfigError with one sentence that names each wrong variable.
 */
export function readConfig(environment: Record<string, string | undefined>): AuthConfig {
  const values = readEnvironment(environmentShape, environment);
  refuseDevelopmentSettings(values);
  return {
    logLevel: values.LOG_LEVEL,
    bindHost: values.BIND_HOST,
    grpcPort: values.GRPC_PORT,
    adminPort: values.ADMIN_PORT,
    tls: tlsFilesOf(values),
    allowedCallers: values.GRPC_ALLOWED_CALLERS,
    mongodbUrl: values.MONGODB_URL,
    mongodbDatabase: values.MONGODB_DATABASE,
    slowQueryMs: values.SLOW_QUERY_MS,
    relaxedReads: values.MONGODB_READ_PREFERENCE,
    redisUrl: values.REDIS_URL,
    natsUrl: values.NATS_URL,
    tokens: {
      keys: tokenKeys(values),
      issuer: values.TOKEN_ISSUER,
      audience: values.TOKEN_AUDIENCE,
      accessSeconds: values.ACCESS_TOKEN_SECONDS,
      refreshSeconds: values.REFRESH_TOKEN_SECONDS,
    },
    echoCodes: values.DEV_ECHO_CODES,
    rateLimits: values.RATE_LIMITS === 'on',
    delivery: delivery(values),
  };
}

function refuseDevelopmentSettings(values: Environment): void {
  if (values.BLUEWAVE_ENV !== 'production') return;
  if (values.DEV_ECHO_CODES) {
    throw new ConfigError(
      'DEV_ECHO_CODES would hand one-time codes to anybody: unset it or set BLUEWAVE_ENV=development.',
    );
  }
  if (values.RATE_LIMITS === 'off') {
    throw new ConfigError('RATE_LIMITS=off is for development: unset it or set BLUEWAVE_ENV=development.');
  }
}

function tokenKeys(values: Environment): string | undefined {
  if (values.TOKEN_KEYS !== undefined && values.TOKEN_KEYS_FILE !== undefined) {
    throw new ConfigError('TOKEN_KEYS and TOKEN_KEYS_FILE are both set: keep one.');
  }
  // Many tools carry line breaks in a variable as the two characters \n.
  if (values.TOKEN_KEYS !== undefined) return values.TOKEN_KEYS.replaceAll('\\n', '\n');
  if (values.TOKEN_KEYS_FILE !== undefined) return readKeyFile(values.TOKEN_KEYS_FILE);
  if (values.BLUEWAVE_ENV === 'development') return undefined;
  throw new ConfigError(
    'TOKEN_KEYS_FILE (or TOKEN_KEYS) is needed in production: make a key with ' +
      '`openssl ecparam -name prime256v1 -genkey -noout -out token-keys.pem` and name that file.',
  );
}

function readKeyFile(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError(`TOKEN_KEYS_FILE cannot be read: ${reason}`, { cause: error });
  }
}

function delivery(values: Environment): Delivery {
  const { SMTP_URL, SMTP_FROM, CODE_WEBHOOK_URL, CODE_WEBHOOK_SECRET } = values;
  if (SMTP_URL !== undefined && SMTP_FROM === undefined) {
    throw new ConfigError(
      'SMTP_FROM is needed with SMTP_URL: the sender of one-time codes, e.g. "Chat <codes@example.com>".',
    );
  }
  if (CODE_WEBHOOK_URL !== undefined && CODE_WEBHOOK_SECRET === undefined) {
    throw new ConfigError('CODE_WEBHOOK_SECRET is needed with CODE_WEBHOOK_URL: it signs each delivery.');
  }
  return {
    smtp: SMTP_URL !== undefined && SMTP_FROM !== undefined ? { url: SMTP_URL, from: SMTP_FROM } : undefined,
    webhook:
      CODE_WEBHOOK_URL !== undefined && CODE_WEBHOOK_SECRET !== undefined
        ? { url: CODE_WEBHOOK_URL, secret: CODE_WEBHOOK_SECRET }
        : undefined,
  };
}
