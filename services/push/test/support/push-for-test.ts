import { randomUUID } from 'node:crypto';
import type { PushServiceDefinition } from '@bluewave/protos/generated/bluewave/push/v1/PushService';
import { entriesCommitted } from '@bluewave/events/codec';
import { ensureStream } from '@bluewave/events/ensure-stream';
import { streams, subjects } from '@bluewave/events/subjects';
import type { EntryCommitted } from '@bluewave/protos/generated/bluewave/events/v1/EntryCommitted';
import { createPresenceStore } from '@bluewave/presence/create-presence-store';
import type { PresenceStore } from '@bluewave/presence/presence-store';
import { createClient, type RpcClient } from '@bluewave/rpc/client';
import { loadService } from '@bluewave/rpc/service-definition';
import { newTraceId } from '@bluewave/runtime/ids';
import { createLogger } from '@bluewave/runtime/logger';
import { Redis } from 'ioredis';
import mongoose, { type Connection } from 'mongoose';
import { connect, type NatsConnection } from 'nats';
import type { PushConfig } from '../../src/config.ts';
import { type RunningPush, startPush } from '../../src/server.ts';
import { pushCollections, type PushCollections } from '../../src/storage/push-collections.ts';
import { env } from './env.ts';
import { fcmEndpoint } from './fcm-inbox.ts';
import { type PeerServices, startPeerServices } from './peer-services.ts';

export type Person = { userId: string; deviceId: string; token: string };
export const person = (): Person => ({
  userId: randomUUID(),
  deviceId: randomUUID(),
  token: `token-${randomUUID()}`,
});

/** Engines and peers of one test file, with a push service of its own when `start` was called. */
export type Platform = {
  config: PushConfig;
  durable: string;
  peers: PeerServices;
  nats: NatsConnection;
  redis: Redis;
  presence: PresenceStore;
  stored: PushCollections;
  start(): Promise<RunningPush>;
  /** Resolves when the service's consumer exists: what is published from then on is for it. */
  consumerStands(): Promise<void>;
  /** Puts an entry into the stream, as the chat service does. */
  publish(given: Given): Promise<Published>;
  /** Puts entries into the stream as one message; what is there already comes again. */
  publishTogether(...given: Given[]): Promise<Published[]>;
  close(): Promise<void>;
};

type Given = Partial<Published> & { conversationId: string; senderId: string };

export type Published = {
  conversationId: string;
  seq: number;
  senderId: string;
  text: string;
  attachments: { kind: string }[];
  atMs: number;
  traceId: string;
  /** Told along with the entry, as chat does in small conversations; undefined leaves push to ask. */
  recipientIds?: string[];
};

export async function startPlatform(overrides: Partial<PushConfig> = {}): Promise<Platform> {
  const name = randomUUID().replaceAll('-', '');
  const peers = await startPeerServices();
  const nats = await connect({ servers: env('TEST_NATS_URL') });
  const redis = new Redis(env('TEST_REDIS_URL'));
  const mongo: Connection = await mongoose
    .createConnection(env('TEST_MONGODB_URL'), { dbName: `test_push_${name}` })
    .asPromise();
  const config: PushConfig = {
    logLevel: 'silent',
    bindHost: '127.0.0.1',
    grpcPort: 0,
    adminPort: 0,
    tls: undefined,
    allowedCallers: [],
    mongodbUrl: env('TEST_MONGODB_URL'),
    mongodbDatabase: `test_push_${name}`,
    slowQueryMs: 200,
    redisUrl: env('TEST_REDIS_URL'),
    natsUrl: env('TEST_NATS_URL'),
    natsReplicas: 1,
    authAddress: peers.address,
    chatAddress: peers.address,
    fcm: { projectId: 'test', credentialsFile: undefined, endpoint: fcmEndpoint },
    ...overrides,
  };
  const durable = `push-${name}`;
  const jsm = await nats.jetstreamManager();
  await ensureStream(jsm, streams.entries, 1);
  const running: RunningPush[] = [];
  return {
    config,
    durable,
    peers,
    nats,
    redis,
    presence: createPresenceStore({ redis }),
    stored: pushCollections(mongo),
    start: async () => {
      const log = createLogger('push', process.env['TEST_LOG_LEVEL'] ?? 'silent');
      const push = await startPush(config, log, { durable, from: 'next' });
      running.push(push);
      await consumerIsThere(nats, durable);
      return push;
    },
    consumerStands: () => consumerIsThere(nats, durable),
    publish: async (given) => {
      const message = published(given);
      await put(nats, [message], { msgID: `${message.conversationId}:${message.seq}` });
      return message;
    },
    publishTogether: async (...given) => {
      const messages = given.map(published);
      await put(nats, messages);
      return messages;
    },
    close: async () => {
      for (const push of running) await push.close();
      await jsm.consumers.delete(streams.entries.name, durable).catch(() => false);
      await mongo.dropDatabase();
      await mongo.close();
      redis.disconnect();
      await nats.close();
      await peers.close();
    },
  };
}

/** What is published before a new consumer stands is not for it. */
async function consumerIsThere(nats: NatsConnection, durable: string): Promise<void> {
  const jsm = await nats.jetstreamManager();
  for (let left = 200; left > 0; left--) {
    const there = await jsm.consumers.info(streams.entries.name, durable).then(
      () => true,
      () => false,
    );
    if (there) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('the consumer was not made');
}

let seqs = 0;

const published = (given: Given): Published => ({
  seq: (seqs += 1),
  text: 'hello',
  attachments: [],
  atMs: Date.now(),
  traceId: newTraceId(),
  ...given,
});

async function put(nats: NatsConnection, messages: Published[], options: { msgID?: string } = {}): Promise<void> {
  const data = entriesCommitted.encode({ entries: messages.map(entryOf), looks: 0, notBeforeMs: 0 });
  await nats.jetstream().publish(subjects.entriesCommitted, data, options);
}

function entryOf({
  conversationId,
  seq,
  senderId,
  text,
  attachments,
  atMs,
  traceId,
  recipientIds,
}: Published): EntryCommitted {
  const attachment = ({ kind }: { kind: string }) => ({
    ...{ uploadId: randomUUID(), kind, fileName: 'file', contentType: 'application/octet-stream', size: 1 },
    ...{ width: 0, height: 0, durationMs: 0, thumbhash: '', status: 'ready', hasThumbnail: false },
  });
  const messageNew = {
    ...{ conversationId, seq, clientMsgId: randomUUID(), type: 'text', senderId, text },
    attachments: attachments.map(attachment),
    ...{ createdAtMs: atMs, editedAtMs: 0, deletedAtMs: 0, status: 'sent' },
    ...{ mentionUserIds: [], mentionsAll: false, replyTo: null, threadRootSeq: 0, thread: null, forwarded: null },
    ...{ forwardCount: 0, reactions: [], starred: false, pinned: false, system: null },
  };
  return {
    entry: { conversationId, seq, actorId: senderId, atMs, messageNew },
    traceId,
    recipientIds: recipientIds ?? [],
    recipientsKnown: recipientIds !== undefined,
  };
}

/** The push service as the gateway calls it. */
export function callerOf(push: RunningPush): RpcClient<PushServiceDefinition> {
  const definition = loadService<PushServiceDefinition>('push', 'PushService');
  return createClient(definition, `127.0.0.1:${push.grpcPort}`, 'push', undefined);
}

export const context = () => ({ traceId: newTraceId(), deadline: Date.now() + 2_000 });

/** A conversation of these people, known to chat and auth. */
export function conversationOf(
  platform: Platform,
  people: Person[],
  given: { type?: string; name?: string } = {},
): string {
  const conversationId = randomUUID();
  platform.peers.audiences.set(conversationId, {
    recipients: people.map(({ userId }) => ({ userId, readSeq: 0, deliveredSeq: 0 })),
    conversationType: given.type ?? 'direct',
    conversationName: given.name ?? '',
    gone: false,
  });
  people.forEach(({ userId }, index) => platform.peers.names.set(userId, `Person ${index}`));
  return conversationId;
}
