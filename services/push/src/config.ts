import { mongoEnvironment } from '@bluewave/mongo/environment';
import { tlsFilesOf, type TlsFiles } from '@bluewave/rpc/credentials';
import { commonEnvironment, ConfigError, integer, readEnvironment, url } from '@bluewave/runtime/config';
import { z } from 'zod';

/** How FCM is reached; see `createFcmProvider`. */
export type FcmConfig = {
  projectId: string | undefined;
  credentialsFile: string | undefined;
  endpoint: string | undefined;
};

export type PushConfig = {
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
  redisUrl: string;
  natsUrl: string;
  /** Copies of the stream in a NATS cluster; the same for all services. */
  natsReplicas: number;
  /** `host:port`; each may resolve to several addresses, or be several separated by commas. */
  authAddress: string;
  chatAddress: string;
  /** Without credentials notifications are not sent: tokens are kept, entries are passed over. */
  fcm: FcmConfig | undefined;
};

const address = z
  .string({ error: 'is required: host:port' })
  .regex(/^[^\s/]+:\d+(,[^\s/]+:\d+)*$/, 'must be host:port');

const environmentShape = z.object({
  ...commonEnvironment,
  ...mongoEnvironment,
  GRPC_PORT: integer(50051, 0, 65535),
  MONGODB_URL: url('mongodb', 'mongodb+srv'),
  MONGODB_DATABASE: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,60}$/, 'must be a database name')
    .default('bluewave_push'),
  REDIS_URL: url('redis', 'rediss'),
  NATS_URL: url('nats', 'tls'),
  NATS_STREAM_REPLICAS: integer(1, 1, 5),
  AUTH_ADDRESS: address,
  CHAT_ADDRESS: address,
  FCM_PROJECT_ID: z
    .string()
    .regex(/^[a-z0-9-]{1,64}$/, 'must be a project id')
    .optional(),
  FCM_CREDENTIALS_FILE: z.string().optional(),
  GOOGLE_APPLICATION_CREDENTIALS: z.string().optional(),
  FCM_ENDPOINT: url('http').optional(),
});

/**
 * The configuration of the push service, and the only place that reads its environment.
 * @throws ConfigError with one sentence that names each wrong variable.
 */
export function readConfig(environment: Record<string, string | undefined>): PushConfig {
  const values = readEnvironment(environmentShape, environment);
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
    redisUrl: values.REDIS_URL,
    natsUrl: values.NATS_URL,
    natsReplicas: values.NATS_STREAM_REPLICAS,
    authAddress: values.AUTH_ADDRESS,
    chatAddress: values.CHAT_ADDRESS,
    fcm: fcmOf(values),
  };
}

function fcmOf(values: z.output<typeof environmentShape>): FcmConfig | undefined {
  const endpoint = values.FCM_ENDPOINT;
  if (endpoint !== undefined && values.BLUEWAVE_ENV === 'production') {
    throw new ConfigError(
      'FCM_ENDPOINT would send notifications in clear text: unset it or set BLUEWAVE_ENV=development.',
    );
  }
  const { FCM_PROJECT_ID: projectId, FCM_CREDENTIALS_FILE: credentialsFile } = values;
  if (endpoint !== undefined) return { projectId: projectId ?? 'bluewave-development', credentialsFile, endpoint };
  // The SDK finds the application's default credentials by itself: a file by that variable, or the platform's.
  const byDefault = values.GOOGLE_APPLICATION_CREDENTIALS !== undefined || projectId !== undefined;
  return credentialsFile !== undefined || byDefault ? { projectId, credentialsFile, endpoint } : undefined;
}
