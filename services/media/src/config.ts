import { subjects } from '@bluewave/events/subjects';
import { mongoEnvironment } from '@bluewave/mongo/environment';
import type { ReadPlace } from '@bluewave/mongo/relaxed-reads';
import { tlsFilesOf, type TlsFiles } from '@bluewave/rpc/credentials';
import { commonEnvironment, ConfigError, flag, integer, readEnvironment, url } from '@bluewave/runtime/config';
import { z } from 'zod';
import { defaultRenderLimits } from './processing/render-image.ts';
import type { ProcessRules } from './processing/process-upload.ts';
import { defaultSweepRules, type SweepRules } from './processing/sweeper.ts';
import type { S3Settings } from './storage/s3/s3-client.ts';
import { defaultRules, type UploadRules } from './uploads/upload.ts';

export type MediaConfig = {
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
  natsUrl: string;
  /** Copies of the work queue in a NATS cluster. */
  natsReplicas: number;
  /** A subject of the MEDIA_WORK stream: replicas of one deployment share it. */
  workSubject: string;
  s3: S3Settings;
  /** Whether a missing bucket is made. */
  createBucket: boolean;
  rateLimits: boolean;
  /** Uploads processed at once by this replica. */
  concurrency: number;
  rules: UploadRules;
  process: ProcessRules;
  sweep: SweepRules;
};

const environmentShape = z.object({
  ...commonEnvironment,
  ...mongoEnvironment,
  GRPC_PORT: integer(50051, 0, 65535),
  MONGODB_URL: url('mongodb', 'mongodb+srv'),
  MONGODB_DATABASE: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,60}$/, 'must be a database name')
    .default('bluewave_media'),
  NATS_URL: url('nats', 'tls'),
  NATS_STREAM_REPLICAS: integer(1, 1, 5),
  S3_ENDPOINT: url('http', 'https'),
  S3_PUBLIC_ENDPOINT: url('http', 'https').optional(),
  S3_REGION: z.string().default('us-east-1'),
  S3_BUCKET: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'must be a bucket name')
    .default('bluewave-media'),
  S3_ACCESS_KEY_ID: z.string().optional(),
  S3_SECRET_ACCESS_KEY: z.string().optional(),
  S3_FORCE_PATH_STYLE: flag(true),
  RATE_LIMITS: z.enum(['on', 'off']).default('on'),
});

type Environment = z.output<typeof environmentShape>;

/**
 * The configuration of the media service, and the only place that reads its environment.
 * @throws ConfigError with one sentence that names each wrong variable.
 */
export function readConfig(environment: Record<string, string | undefined>): MediaConfig {
  const values = readEnvironment(environmentShape, environment);
  const development = values.BLUEWAVE_ENV === 'development';
  if (!development && values.RATE_LIMITS === 'off') {
    throw new ConfigError('RATE_LIMITS=off is for development: unset it or set BLUEWAVE_ENV=development.');
  }
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
    natsUrl: values.NATS_URL,
    natsReplicas: values.NATS_STREAM_REPLICAS,
    workSubject: subjects.processUpload,
    s3: s3Settings(values),
    createBucket: development,
    rateLimits: values.RATE_LIMITS === 'on',
    concurrency: 2,
    rules: defaultRules,
    process: { jobMs: 90_000, leaseMs: 15_000, maxAttempts: 5, render: defaultRenderLimits },
    sweep: defaultSweepRules,
  };
}

function s3Settings(values: Environment): S3Settings {
  const { S3_ACCESS_KEY_ID: accessKeyId, S3_SECRET_ACCESS_KEY: secretAccessKey } = values;
  if ((accessKeyId === undefined) !== (secretAccessKey === undefined)) {
    throw new ConfigError('S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY belong together: set both or none.');
  }
  return {
    endpoint: values.S3_ENDPOINT,
    publicEndpoint: values.S3_PUBLIC_ENDPOINT ?? values.S3_ENDPOINT,
    region: values.S3_REGION,
    bucket: values.S3_BUCKET,
    credentials: accessKeyId && secretAccessKey ? { accessKeyId, secretAccessKey } : undefined,
    forcePathStyle: values.S3_FORCE_PATH_STYLE,
  };
}
