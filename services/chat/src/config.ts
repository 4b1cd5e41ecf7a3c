import { mongoEnvironment } from '@bluewave/mongo/environment';
import type { ReadPlace } from '@bluewave/mongo/relaxed-reads';
import { commonEnvironment, ConfigError, integer, readEnvironment, url } from '@bluewave/runtime/config';
import { type TlsFiles, tlsFilesOf } from '@bluewave/rpc/credentials';
import { z } from 'zod';
import type { MemberLimits } from './conversations/member-limits.ts';
import type { PolicyChoices } from './policies/policies.ts';

export type ChatConfig = {
  logLevel: string;
  host: string;
  adminPort: number;
  grpcPort: number;
  tls: TlsFiles | undefined;
  allowedCallers: string[];
  mongodbUrl: string;
  mongodbDatabase: string;
  /** Commands that take this long are logged and counted, milliseconds; 0: none. */
  slowQueryMs: number;
  /** Where reads that carry no guarantee go. */
  relaxedReads: ReadPlace;
  natsUrl: string;
  /** Copies of JetStream streams in a NATS cluster. */
  streamReplicas: number;
  memberLimits: MemberLimits;
  /** How long a sender may edit, milliseconds. */
  editWindowMs: number;
  retention: RetentionConfig;
  policies: PolicyChoices & {
    /** Asked beside, for products with rules of their own. */
    webhook: { url: string; secret: string } | undefined;
  };
};

/** Milliseconds. */
export type RetentionConfig = {
  /** Entries older than this leave the log; 0 for none. */
  keepMs: number;
  /** How long they stay in the archive; 0 for ever. */
  archiveMs: number;
  sweepMs: number;
};

const dayMs = 86_400_000;

const environment = z.object({
  ...commonEnvironment,
  ...mongoEnvironment,
  GRPC_PORT: integer(50051, 0, 65535),
  MONGODB_URL: url('mongodb', 'mongodb+srv'),
  MONGODB_DATABASE: z.string().min(1).default('bluewave_chat'),
  NATS_URL: url('nats', 'tls'),
  NATS_STREAM_REPLICAS: integer(1, 1, 5),
  MEMBER_LIMIT: integer(1_000, 2, 1_000_000),
  ROOM_MEMBER_LIMIT: integer(10_000, 2, 1_000_000),
  EDIT_WINDOW_SECONDS: integer(86_400, 0),
  RETENTION_DAYS: integer(0, 0, 36_500),
  RETENTION_SWEEP_SECONDS: integer(600, 10, 86_400),
  ARCHIVE_KEEP_DAYS: integer(0, 0, 36_500),
  DIRECT_POLICY: z.enum(['anyone', 'contacts']).default('anyone'),
  GROUP_POLICY: z.enum(['anyone', 'contacts', 'nobody']).default('anyone'),
  ROOM_POLICY: z.enum(['anyone', 'nobody']).default('anyone'),
  POLICY_WEBHOOK_URL: url('http', 'https').optional(),
  POLICY_WEBHOOK_SECRET: z.string().min(16, 'must have at least 16 characters').optional(),
});

/** The only reader of the environment. @throws ConfigError naming every wrong variable. */
export function readConfig(env: NodeJS.ProcessEnv): ChatConfig {
  const values = readEnvironment(environment, env);
  return {
    logLevel: values.LOG_LEVEL,
    host: values.BIND_HOST,
    adminPort: values.ADMIN_PORT,
    grpcPort: values.GRPC_PORT,
    tls: tlsFilesOf(values),
    allowedCallers: values.GRPC_ALLOWED_CALLERS,
    mongodbUrl: values.MONGODB_URL,
    mongodbDatabase: values.MONGODB_DATABASE,
    slowQueryMs: values.SLOW_QUERY_MS,
    relaxedReads: values.MONGODB_READ_PREFERENCE,
    natsUrl: values.NATS_URL,
    streamReplicas: values.NATS_STREAM_REPLICAS,
    memberLimits: { group: values.MEMBER_LIMIT, room: values.ROOM_MEMBER_LIMIT },
    editWindowMs: values.EDIT_WINDOW_SECONDS * 1_000,
    retention: {
      keepMs: values.RETENTION_DAYS * dayMs,
      archiveMs: values.ARCHIVE_KEEP_DAYS * dayMs,
      sweepMs: values.RETENTION_SWEEP_SECONDS * 1_000,
    },
    policies: {
      direct: values.DIRECT_POLICY,
      group: values.GROUP_POLICY,
      room: values.ROOM_POLICY,
      webhook: webhookOf(values),
    },
  };
}

function webhookOf({
  POLICY_WEBHOOK_URL,
  POLICY_WEBHOOK_SECRET,
}: z.output<typeof environment>): ChatConfig['policies']['webhook'] {
  if (POLICY_WEBHOOK_URL === undefined) return undefined;
  if (POLICY_WEBHOOK_SECRET === undefined) {
    throw new ConfigError('POLICY_WEBHOOK_SECRET is needed with POLICY_WEBHOOK_URL: it signs each question.');
  }
  return { url: POLICY_WEBHOOK_URL, secret: POLICY_WEBHOOK_SECRET };
}
