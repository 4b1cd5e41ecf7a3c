import { EventBus } from '@bluewave/events/event-bus';
import { connectMongo } from '@bluewave/mongo/connect';
import { type Deadlined, deadlinedStores } from '@bluewave/mongo/deadlined-stores';
import { watchCalls } from '@bluewave/mongo/watch-calls';
import type { AuthServiceDefinition } from '@bluewave/protos/generated/bluewave/auth/v1/AuthService';
import { closeRedis, connectRedis } from '@bluewave/redis/connect';
import { watchMemory } from '@bluewave/redis/watch-memory';
import { startRpcServer } from '@bluewave/rpc/server';
import { loadService } from '@bluewave/rpc/service-definition';
import { startAdminServer } from '@bluewave/runtime/admin-server';
import { type Clock, systemClock } from '@bluewave/runtime/clock';
import { CloseStack } from '@bluewave/runtime/close-stack';
import { pause } from '@bluewave/runtime/deadline';
import type { Logger } from '@bluewave/runtime/logger';
import { createMetrics } from '@bluewave/runtime/metrics';
import { CodeDelivery } from './codes/code-delivery.ts';
import type { AuthConfig, Delivery } from './config.ts';
import { createAttempts } from './credentials/attempts.ts';
import { createPasswords } from './credentials/passwords.ts';
import { createRateLimits, unlimited } from './credentials/rate-limits.ts';
import { createSmtpSender } from './delivery/smtp-sender.ts';
import { createWebhookSender } from './delivery/webhook-sender.ts';
import { createUserEvents, type UserEvents } from './events/user-events.ts';
import { authHandlers } from './grpc/handlers.ts';
import { observeHandlers } from './grpc/observe.ts';
import type { AuthParts } from './grpc/parts.ts';
import { createAuthMetrics } from './metrics.ts';
import { createModels, ensureIndexes, type Models } from './storage/models.ts';
import { createMongoAccountStore } from './storage/mongo-account-store.ts';
import { createMongoDeviceStore } from './storage/mongo-device-store.ts';
import { createMongoKeyStore } from './storage/mongo-key-store.ts';
import { createMongoSessionStore } from './storage/mongo-session-store.ts';
import { createRedisCodeStore } from './storage/redis-code-store.ts';
import { createRedisCounters } from './storage/redis-counters.ts';
import { deriveSecrets, generateKeyPem, jwksJson, parseSigningKeys, type SigningKey } from './tokens/signing-keys.ts';

const startMs = 5_000;
const redisStartMs = 500;

export type RunningAuth = { grpcPort: number; adminPort: number; close(): Promise<void> };

/**
 * Starts the auth service: stores, rules, doors. What was opened is closed again when something fails.
 * @throws ConfigError with one sentence when the configuration or the database cannot be used.
 */
export async function startAuth(config: AuthConfig, log: Logger, clock: Clock = systemClock): Promise<RunningAuth> {
  const stack = new CloseStack(log);
  try {
    return await open(config, log, clock, stack);
  } catch (error) {
    await stack.close();
    throw error;
  }
}

async function open(config: AuthConfig, log: Logger, clock: Clock, stack: CloseStack): Promise<RunningAuth> {
  const registry = createMetrics('auth');
  const { mongodbUrl: url, mongodbDatabase: database, slowQueryMs: slowMs } = config;
  const connection = await connectMongo({ url, database, appName: 'bluewave-auth', log });
  stack.add('mongodb', { close: () => connection.close() });
  // After it: a start that waits for the database says nothing about others meanwhile.
  const redis = connectRedis({ url: config.redisUrl, name: 'bluewave-auth', log });
  stack.add('redis', { close: () => closeRedis(redis) });
  stack.add('redis memory', watchMemory({ redis, metrics: registry, log }));
  const models = createModels(connection);
  const [, keys] = await Promise.all([ensureIndexes(models), signingKeys(config, models), firstConnection(redis)]);

  const bus = stack.add('nats', new EventBus({ url: config.natsUrl, name: 'bluewave-auth', log }));
  const events = stack.add('events', createUserEvents(bus, log));
  const delivery = stack.add('codes', new CodeDelivery(senders(config.delivery, clock), log));
  if (!config.echoCodes && !delivery.reaches('email'))
    log.warn('one-time codes cannot be sent: set SMTP_URL or CODE_WEBHOOK_URL');

  const passwords = createPasswords();
  const counters = createRedisCounters(redis, clock);
  const codes = createRedisCodeStore(redis, clock);
  const deadlined = deadlinedStores(watchCalls({ slowMs, metrics: registry, log }));
  const parts = wire({ config, clock, models, deadlined, keys, passwords, counters, codes, delivery, events });
  const { durations } = createAuthMetrics(registry, passwords);

  const admin = await startAdminServer({ host: config.bindHost, port: config.adminPort, metrics: registry });
  stack.add('admin', admin);
  const definition = loadService<AuthServiceDefinition>('auth', 'AuthService');
  const rpc = await startRpcServer({
    host: config.bindHost,
    port: config.grpcPort,
    tls: config.tls,
    allowedCallers: config.allowedCallers,
    log,
    services: [{ definition, unary: observeHandlers(authHandlers(parts), durations) }],
  });
  stack.add('grpc', rpc);
  stack.add('readiness', { close: () => admin.setReady(false) });
  admin.setReady(true);
  log.info({ grpcPort: rpc.port, adminPort: admin.port }, 'auth is ready');
  return { grpcPort: rpc.port, adminPort: admin.port, close: () => stack.close() };
}

type Stores = {
  config: AuthConfig;
  clock: Clock;
  models: Models;
  deadlined: Deadlined;
  keys: [SigningKey, ...SigningKey[]];
  passwords: ReturnType<typeof createPasswords>;
  counters: ReturnType<typeof createRedisCounters>;
  codes: ReturnType<typeof createRedisCodeStore>;
  delivery: CodeDelivery;
  events: UserEvents;
};

function wire({
  config,
  clock,
  models,
  deadlined,
  keys,
  passwords,
  counters,
  codes,
  delivery,
  events,
}: Stores): AuthParts {
  const { tokens, echoCodes } = config;
  const accounts = deadlined('accounts', createMongoAccountStore(models, config.relaxedReads));
  const limits = config.rateLimits ? createRateLimits(counters) : unlimited;
  const base = {
    ...{ accounts, limits, events, clock, passwords, refreshSeconds: tokens.refreshSeconds },
    sessions: deadlined('sessions', createMongoSessionStore(models)),
    devices: deadlined('devices', createMongoDeviceStore(models)),
    attempts: createAttempts(counters, { limitAddresses: config.rateLimits }),
    accessTokens: {
      ...{ key: keys[0], issuer: tokens.issuer, audience: tokens.audience, seconds: tokens.accessSeconds, clock },
    },
  };
  const oneTime = { codes, secrets: deriveSecrets(keys, 'codes'), echoCodes };
  return {
    ...base,
    requestCode: { ...base, ...oneTime, delivery },
    verifyCode: { ...base, ...oneTime },
    refresh: { ...base, secrets: deriveSecrets(keys, 'refresh') },
    jwksJson: jwksJson(keys),
  };
}

/** The configured keys, else the one that the database keeps for this development platform. */
async function signingKeys(config: AuthConfig, models: Models): Promise<[SigningKey, ...SigningKey[]]> {
  if (config.tokens.keys !== undefined) return parseSigningKeys(config.tokens.keys);
  return parseSigningKeys(await createMongoKeyStore(models).keepFirst(generateKeyPem(), Date.now() + startMs));
}

/** Waits a moment, so that the first login after a start is not refused. A Redis that is away keeps nobody from starting. */
async function firstConnection(redis: ReturnType<typeof connectRedis>): Promise<void> {
  if (redis.status === 'ready') return;
  const limit = new AbortController();
  const ready = new Promise<void>((resolve) => redis.once('ready', resolve));
  await Promise.race([ready, pause(redisStartMs, limit.signal)]);
  limit.abort(new Error('settled'));
}

const senders = ({ smtp, webhook }: Delivery, clock: Clock) => [
  ...(smtp ? [createSmtpSender(smtp)] : []),
  ...(webhook ? [createWebhookSender({ ...webhook, clock })] : []),
];
