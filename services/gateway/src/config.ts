import { limits } from '@bluewave/api/limits';
import { commandMs } from '@bluewave/redis/connect';
import { commonEnvironment, integer, list, readEnvironment, url } from '@bluewave/runtime/config';
import { tlsFilesOf, type TlsFiles } from '@bluewave/rpc/credentials';
import { z } from 'zod';
import type { RoomLimit } from './limits/room-window.ts';

/** What the gateway is told by its environment. */
export type GatewayConfig = {
  production: boolean;
  logLevel: string;
  bindHost: string;
  httpPort: number;
  adminPort: number;
  natsUrl: string;
  redisUrl: string;
  /** How long one Redis command may take before limits are counted without it. */
  redisCommandMs: number;
  authAddress: string;
  /** One `host:port`, or several comma separated; names may have several addresses. */
  chatAddress: string;
  mediaAddress: string;
  pushAddress: string;
  tls: TlsFiles | undefined;
  tokenIssuer: string;
  tokenAudience: string;
  /** Life time of access tokens: how long a revoked session must be remembered. */
  accessTokenSeconds: number;
  rateLimits: boolean;
  /** Messages of one user in a minute, over REST and sockets together. */
  messagesPerMinute: number;
  /** Messages of one user to one room, and the mute of who sends more. */
  roomLimit: RoomLimit;
  /** Origins that browsers may call from; `*` allows all. */
  corsOrigins: string[];
  publicUrl: string | undefined;
  /** How long a start waits for Redis, NATS, chat and the keys of auth before it does without. */
  peersPatienceMs: number;
  /** Proxies whose `X-Forwarded-For` is believed: addresses, CIDRs or Express' names (`loopback`, `uniquelocal`). */
  trustedProxies: string[];
};

/** Peers may come long after the gateway, and it can do something without each: it waits less than others for a database. */
const mostPatienceMs = 30_000;
const leastPatienceMs = 500;

const address = z
  .string({ error: 'is required: host:port' })
  .regex(/^[^\s/]+:\d+(,[^\s/]+:\d+)*$/, 'must be host:port');

const environmentShape = z
  .object({
    ...commonEnvironment,
    HTTP_PORT: integer(8080, 0, 65535),
    NATS_URL: url('nats', 'tls'),
    REDIS_URL: url('redis', 'rediss'),
    REDIS_COMMAND_MS: integer(commandMs, 10, 10_000),
    AUTH_ADDRESS: address,
    CHAT_ADDRESS: address,
    MEDIA_ADDRESS: address,
    PUSH_ADDRESS: address,
    TOKEN_ISSUER: z.string().default('bluewave'),
    TOKEN_AUDIENCE: z.string().default('bluewave'),
    ACCESS_TOKEN_SECONDS: integer(900, 1),
    RATE_LIMITS: z.enum(['on', 'off']).default('on'),
    MESSAGES_PER_MINUTE: integer(limits.messagesPerMinute, 1),
    ROOM_MESSAGES: integer(limits.roomMessages, 1, 1_000),
    ROOM_WINDOW_SECONDS: integer(limits.roomWindowSeconds, 1, 3_600),
    ROOM_MUTE_SECONDS: integer(limits.roomMuteSeconds, 1, 86_400),
    CORS_ORIGINS: list(),
    PUBLIC_URL: url('http', 'https').optional(),
    TRUSTED_PROXIES: list(),
  })
  .refine((read) => read.RATE_LIMITS === 'on' || read.BLUEWAVE_ENV !== 'production', {
    path: ['RATE_LIMITS'],
    message: 'cannot be off in production',
  });

/** @throws ConfigError naming every variable that is missing or wrong. */
export function readConfig(environment: Record<string, string | undefined>): GatewayConfig {
  const read = readEnvironment(environmentShape, environment);
  return {
    production: read.BLUEWAVE_ENV === 'production',
    logLevel: read.LOG_LEVEL,
    bindHost: read.BIND_HOST,
    httpPort: read.HTTP_PORT,
    adminPort: read.ADMIN_PORT,
    natsUrl: read.NATS_URL,
    redisUrl: read.REDIS_URL,
    redisCommandMs: read.REDIS_COMMAND_MS,
    authAddress: read.AUTH_ADDRESS,
    chatAddress: read.CHAT_ADDRESS,
    mediaAddress: read.MEDIA_ADDRESS,
    pushAddress: read.PUSH_ADDRESS,
    tls: tlsFilesOf(read),
    tokenIssuer: read.TOKEN_ISSUER,
    tokenAudience: read.TOKEN_AUDIENCE,
    accessTokenSeconds: read.ACCESS_TOKEN_SECONDS,
    rateLimits: read.RATE_LIMITS === 'on',
    messagesPerMinute: read.MESSAGES_PER_MINUTE,
    roomLimit: {
      max: read.ROOM_MESSAGES,
      windowMs: read.ROOM_WINDOW_SECONDS * 1_000,
      muteMs: read.ROOM_MUTE_SECONDS * 1_000,
    },
    corsOrigins: read.CORS_ORIGINS,
    publicUrl: read.PUBLIC_URL,
    peersPatienceMs: Math.max(leastPatienceMs, Math.min(mostPatienceMs, read.START_PATIENCE_SECONDS * 1_000)),
    trustedProxies: read.TRUSTED_PROXIES,
  };
}
