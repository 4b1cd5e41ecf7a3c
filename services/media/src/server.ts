import { randomUUID } from 'node:crypto';
import { AckedPublisher } from '@bluewave/events/acked-publisher';
import { EventBus } from '@bluewave/events/event-bus';
import { connectMongo } from '@bluewave/mongo/connect';
import { deadlinedStores } from '@bluewave/mongo/deadlined-stores';
import { watchCalls } from '@bluewave/mongo/watch-calls';
import type { MediaServiceDefinition } from '@bluewave/protos/generated/bluewave/media/v1/MediaService';
import { startRpcServer } from '@bluewave/rpc/server';
import { loadService } from '@bluewave/rpc/service-definition';
import { startAdminServer } from '@bluewave/runtime/admin-server';
import { systemClock } from '@bluewave/runtime/clock';
import { CloseStack } from '@bluewave/runtime/close-stack';
import { newId } from '@bluewave/runtime/ids';
import type { Logger } from '@bluewave/runtime/logger';
import { createMetrics } from '@bluewave/runtime/metrics';
import type { Registry } from 'prom-client';
import type { MediaConfig } from './config.ts';
import { createNatsAnnouncer } from './events/nats-announcer.ts';
import { createNatsWorkQueue } from './events/nats-work-queue.ts';
import { startProcessWorker } from './events/process-worker.ts';
import { mediaHandlers } from './grpc/media-handlers.ts';
import { createPrometheusMeter } from './metrics/prometheus-meter.ts';
import { createImageRenderer, restrictDecoder } from './processing/render-image.ts';
import { Sweeper } from './processing/sweeper.ts';
import { createMongoUploadLimiter } from './storage/mongo/mongo-upload-limiter.ts';
import { createMongoUploadStore } from './storage/mongo/mongo-upload-store.ts';
import { prepareModels } from './storage/mongo/upload-model.ts';
import { BucketKeeper } from './storage/s3/bucket-keeper.ts';
import { createS3Client } from './storage/s3/s3-client.ts';
import { createS3ObjectStore } from './storage/s3/s3-object-store.ts';
import { createS3UrlSigner } from './storage/s3/s3-url-signer.ts';

export type RunningMedia = { grpcPort: number; adminPort: number; close(): Promise<void> };

/**
 * Starts the media service: gRPC for the gateway, a worker on the processing queue, a sweeper, and the operators'
 * door. Needs MongoDB to start; NATS and the object storage may come later.
 */
export async function startMedia(config: MediaConfig, log: Logger): Promise<RunningMedia> {
  const stack = new CloseStack(log);
  try {
    return await start(config, log, stack);
  } catch (error) {
    await stack.close();
    throw error;
  }
}

async function start(config: MediaConfig, log: Logger, stack: CloseStack): Promise<RunningMedia> {
  restrictDecoder();
  const metrics = createMetrics('media');
  const admin = stack.add(
    'admin server',
    await startAdminServer({ host: config.bindHost, port: config.adminPort, metrics }),
  );
  const { uploads: store, limiter } = await openDatabase(config, log, metrics, stack);
  const { objects, signer } = await openStorage(config, log, stack);
  const bus = stack.add('event bus', new EventBus({ url: config.natsUrl, name: 'bluewave-media', log }));
  const publisher = stack.add('publisher', new AckedPublisher(bus, `_INBOX.${randomUUID()}`));
  const parts = {
    ...{ store, limiter, objects, signer, log, newId },
    clock: systemClock,
    queue: createNatsWorkQueue(publisher, config.workSubject),
    announcer: createNatsAnnouncer(bus),
    renderImage: createImageRenderer(config.process.render),
    meter: createPrometheusMeter(metrics),
    limited: config.rateLimits,
    rules: config.rules,
    process: config.process,
    sweep: config.sweep,
  };
  const sweeper = stack.add('sweeper', new Sweeper(parts));
  stack.add(
    'worker',
    startProcessWorker({
      bus,
      parts,
      subject: config.workSubject,
      concurrency: config.concurrency,
      replicas: config.natsReplicas,
    }),
  );
  const rpc = stack.add('gRPC server', await serve(config, log, mediaHandlers(parts)));
  // What could not be queued or told meanwhile need not wait for the next round.
  stack.add(
    'healing',
    bus.onHealed(() => sweeper.wake()),
  );
  stack.add('readiness', { close: () => admin.setReady(false) });
  admin.setReady(true);
  log.info({ grpcPort: rpc.port, adminPort: admin.port }, 'media is ready');
  return { grpcPort: rpc.port, adminPort: admin.port, close: () => stack.close() };
}

async function openDatabase(config: MediaConfig, log: Logger, metrics: Registry, stack: CloseStack) {
  const connection = stack.add(
    'MongoDB',
    await connectMongo({ url: config.mongodbUrl, database: config.mongodbDatabase, appName: 'bluewave-media', log }),
  );
  const models = await prepareModels(connection);
  const deadlined = deadlinedStores(watchCalls({ slowMs: config.slowQueryMs, metrics, log }));
  return {
    uploads: deadlined('uploads', createMongoUploadStore(models, config.relaxedReads)),
    limiter: deadlined('limiter', createMongoUploadLimiter(models)),
  };
}

async function openStorage(config: MediaConfig, log: Logger, stack: CloseStack) {
  const { endpoint, publicEndpoint, bucket } = config.s3;
  const client = createS3Client(config.s3, endpoint);
  const publicClient = createS3Client(config.s3, publicEndpoint);
  stack.add('S3', { close: () => client.destroy() });
  stack.add('S3 signer', { close: () => publicClient.destroy() });
  const keeper = stack.add('bucket', new BucketKeeper({ client, bucket, endpoint, create: config.createBucket, log }));
  await keeper.firstAttempt();
  return { objects: createS3ObjectStore(client, bucket), signer: createS3UrlSigner(publicClient, bucket) };
}

function serve(config: MediaConfig, log: Logger, unary: ReturnType<typeof mediaHandlers>) {
  const definition = loadService<MediaServiceDefinition>('media', 'MediaService');
  const { bindHost: host, grpcPort: port, tls, allowedCallers } = config;
  return startRpcServer({ host, port, tls, allowedCallers, log, services: [{ definition, unary }] });
}
