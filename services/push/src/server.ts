import { AckedPublisher } from '@bluewave/events/acked-publisher';
import { EventBus } from '@bluewave/events/event-bus';
import { streams, subjects } from '@bluewave/events/subjects';
import { WorkConsumer } from '@bluewave/events/work-consumer';
import { connectMongo } from '@bluewave/mongo/connect';
import { deadlinedStores } from '@bluewave/mongo/deadlined-stores';
import { watchCalls } from '@bluewave/mongo/watch-calls';
import { createPresenceStore } from '@bluewave/presence/create-presence-store';
import type { AuthServiceDefinition } from '@bluewave/protos/generated/bluewave/auth/v1/AuthService';
import type { ChatServiceDefinition } from '@bluewave/protos/generated/bluewave/chat/v1/ChatService';
import { closeRedis, connectRedis } from '@bluewave/redis/connect';
import { startRpcServer } from '@bluewave/rpc/server';
import { loadService } from '@bluewave/rpc/service-definition';
import { startAdminServer } from '@bluewave/runtime/admin-server';
import { systemClock } from '@bluewave/runtime/clock';
import { CloseStack } from '@bluewave/runtime/close-stack';
import { ConfigError } from '@bluewave/runtime/config';
import type { Logger } from '@bluewave/runtime/logger';
import { newId } from '@bluewave/runtime/ids';
import { createMetrics } from '@bluewave/runtime/metrics';
import type { FcmConfig, PushConfig } from './config.ts';
import { createEntryWork } from './events/entry-work.ts';
import { hearProfileChanges } from './events/hear-profile-changes.ts';
import { createFcmProvider, type FcmProvider } from './fcm/fcm-provider.ts';
import { createPeers } from './grpc/peers.ts';
import { pushService } from './grpc/push-service.ts';
import { createReplicas } from './grpc/replicas.ts';
import { createNotifier, type NotifyParts } from './notifications/notify.ts';
import { createPushMetrics } from './push-metrics.ts';
import { createMongoDeliveryStore } from './storage/mongo-delivery-store.ts';
import { createMongoTokenStore } from './storage/mongo-token-store.ts';
import { ensureIndexes, pushCollections } from './storage/push-collections.ts';

/** Messages of the entries stream looked at, and notifications sent, at once by one process. */
const maxMessages = 64;
const maxSends = 64;
/** A look at an entry begins no send after 4 s, and a send takes 5 s. */
const ackWaitMs = 12_000;
/** FCM's own advice for a refusal that does not say how long to wait. */
const quotaPauseMs = 60_000;

/** The durable consumer of entries, whose processes share the work. */
export type EntriesConsumer = { durable: string; from: 'oldest' | 'next' };

export type RunningPush = { grpcPort: number; adminPort: number; close(): Promise<void> };

/** Starts the push service: resolves when it answers, `close` drains it. */
export async function startPush(
  config: PushConfig,
  log: Logger,
  entries: EntriesConsumer = { durable: 'push', from: 'oldest' },
): Promise<RunningPush> {
  const open = new CloseStack(log);
  try {
    const registry = createMetrics('push');
    const admin = open.add(
      'admin',
      await startAdminServer({ host: config.bindHost, port: config.adminPort, metrics: registry }),
    );
    const mongo = open.add(
      'mongo',
      await connectMongo({ url: config.mongodbUrl, database: config.mongodbDatabase, appName: 'push', log }),
    );
    const collections = pushCollections(mongo);
    await ensureIndexes(collections);
    const deadlined = deadlinedStores(watchCalls({ slowMs: config.slowQueryMs, metrics: registry, log }));
    const tokens = deadlined('tokens', createMongoTokenStore(collections, systemClock));
    const deliveries = deadlined('deliveries', createMongoDeliveryStore(collections));
    const bus = open.add('bus', new EventBus({ url: config.natsUrl, name: 'push', log }));
    const { peers, names } = openPeers(config, log, open);
    open.add('profile changes', hearProfileChanges(bus, names));

    const provider = openProvider(config.fcm, log, open);
    const metrics = createPushMetrics(registry);
    const sending: NotifyParts | undefined = provider && {
      tokens,
      deliveries,
      provider,
      peers,
      log,
      maxSends,
      quotaPauseMs,
      random: Math.random,
      now: systemClock,
      onAttempt: metrics.attempted,
      onAccepted: metrics.accepted,
    };
    const stream = open.add('stream', new AckedPublisher(bus, `_INBOX.${newId()}`));
    open.add('entries', consumeEntries(bus, stream, sending, { ...entries, replicas: config.natsReplicas }, log));
    const rpc = open.add(
      'grpc',
      await startRpcServer({
        host: config.bindHost,
        port: config.grpcPort,
        tls: config.tls,
        allowedCallers: config.allowedCallers,
        log,
        services: [pushService({ tokens, deliveries }, sending)],
      }),
    );
    admin.setReady(true);
    log.info({ grpcPort: rpc.port, adminPort: admin.port }, 'push is ready');
    return { grpcPort: rpc.port, adminPort: admin.port, close: () => stop(admin, open) };
  } catch (error) {
    await open.close();
    throw error;
  }
}

async function stop(admin: { setReady(ready: boolean): void }, open: CloseStack): Promise<void> {
  admin.setReady(false);
  await open.close();
}

function openPeers(config: PushConfig, log: Logger, open: CloseStack): ReturnType<typeof createPeers> {
  const redis = connectRedis({ url: config.redisUrl, name: 'push', log });
  open.add('redis', { close: () => closeRedis(redis) });
  const auth = createReplicas(
    loadService<AuthServiceDefinition>('auth', 'AuthService'),
    config.authAddress,
    'auth',
    config.tls,
  );
  const chat = createReplicas(
    loadService<ChatServiceDefinition>('chat', 'ChatService'),
    config.chatAddress,
    'chat',
    config.tls,
  );
  open.add('auth', auth);
  open.add('chat', chat);
  return createPeers({ auth, chat, presence: createPresenceStore({ redis }) });
}

function openProvider(fcm: FcmConfig | undefined, log: Logger, open: CloseStack): FcmProvider | undefined {
  if (!fcm) {
    log.warn('no FCM credentials: notifications are not sent (set FCM_CREDENTIALS_FILE)');
    return undefined;
  }
  try {
    return open.add('fcm', createFcmProvider({ ...fcm, now: systemClock }));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError(`FCM_CREDENTIALS_FILE cannot be used: ${reason}`, { cause: error });
  }
}

/** Without a provider entries are passed over, so that a later start with one does not send yesterday's. */
function consumeEntries(
  bus: EventBus,
  stream: AckedPublisher,
  sending: NotifyParts | undefined,
  entries: EntriesConsumer & { replicas: number },
  log: Logger,
): WorkConsumer {
  return new WorkConsumer({
    bus,
    stream: streams.entries,
    ...entries,
    concurrency: maxMessages,
    ackWaitMs,
    log,
    handle: sending
      ? createEntryWork({
          notify: createNotifier(sending),
          putAgain: (data) =>
            new Promise((resolve) => {
              stream.publish(subjects.entriesCommitted, undefined, data, (outcome) => resolve(outcome === 'acked'));
            }),
          log,
          now: systemClock,
          random: Math.random,
        })
      : () => Promise.resolve({ kind: 'done' }),
  });
}
