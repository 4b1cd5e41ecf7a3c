import { commonEnvironment, integer, readEnvironment, url } from '@bluewave/runtime/config';
import { type TlsFiles, tlsFilesOf } from '@bluewave/rpc/credentials';
import { z } from 'zod';

export type ChatConfig = {
  logLevel: string;
  host: string;
  adminPort: number;
  grpcPort: number;
  tls: TlsFiles | undefined;
  allowedCallers: string[];
  mongodbUrl: string;
  mongodbDatabase: string;
  natsUrl: string;
  /** Copies of JetStream streams in a NATS cluster. */
  streamReplicas: number;
  memberLimit: number;
  /** How long a sender may edit, milliseconds. */
  editWindowMs: number;
};

const environment = z.object({
  ...commonEnvironment,
  GRPC_PORT: integer(50051, 0, 65535),
  MONGODB_URL: url('mongodb', 'mongodb+srv'),
  MONGODB_DATABASE: z.string().min(1).default('bluewave_chat'),
  NATS_URL: url('nats', 'tls'),
  NATS_STREAM_REPLICAS: integer(1, 1, 5),
  MEMBER_LIMIT: integer(1_000, 2, 1_000_000),
  EDIT_WINDOW_SECONDS: integer(86_400, 0),
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
    natsUrl: values.NATS_URL,
    streamReplicas: values.NATS_STREAM_REPLICAS,
    memberLimit: values.MEMBER_LIMIT,
    editWindowMs: values.EDIT_WINDOW_SECONDS * 1_000,
  };
}
