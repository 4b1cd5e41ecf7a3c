import { randomUUID } from 'node:crypto';
import { mediaUpdated, userEvent } from '@bluewave/events/codec';
import { EventBus } from '@bluewave/events/event-bus';
import { streams, subjects } from '@bluewave/events/subjects';
import type { CreateUploadReply } from '@bluewave/protos/generated/bluewave/media/v1/CreateUploadReply';
import type { MediaServiceDefinition } from '@bluewave/protos/generated/bluewave/media/v1/MediaService';
import type { Upload as UploadMessage } from '@bluewave/protos/generated/bluewave/media/v1/Upload';
import { createClient, type RpcClient } from '@bluewave/rpc/client';
import { type CallContext, loadService } from '@bluewave/rpc/service-definition';
import { newId } from '@bluewave/runtime/ids';
import { createLogger } from '@bluewave/runtime/logger';
import mongoose from 'mongoose';
import { type MediaConfig, readConfig } from '../../src/config.ts';
import { startMedia, type RunningMedia } from '../../src/server.ts';
import { objectKeys, type Upload } from '../../src/uploads/upload.ts';
import { fromDocument } from '../../src/storage/mongo/upload-document.ts';
import type { UploadDocument } from '../../src/storage/mongo/upload-model.ts';
import { testBucket } from './test-bucket.ts';

const log = createLogger('media-test', process.env['TEST_LOG_LEVEL'] ?? 'silent');

export type Wish = { bytes: Uint8Array; contentType: string; fileName?: string; purpose?: string; sha256?: string };

export type MediaUnderTest = {
  config: MediaConfig;
  client: RpcClient<MediaServiceDefinition>;
  call: RpcClient<MediaServiceDefinition>['call'];
  running: RunningMedia;
  bucket: Awaited<ReturnType<typeof testBucket>>;
  bus: EventBus;
  /** Every MediaUpdated and UserEvent that was published, by upload id. */
  told: { chat: UploadMessage[]; owners: { userId: string; upload: UploadMessage }[] };
  context(): CallContext;
  create(actorId: string, wish: Wish): Promise<CreateUploadReply>;
  /** Creates and PUTs. */
  upload(actorId: string, wish: Wish): Promise<string>;
  /** Creates, PUTs, confirms and waits until it is ready or rejected. */
  settle(actorId: string, wish: Wish): Promise<UploadMessage>;
  settled(uploadId: string): Promise<UploadMessage>;
  /** Waits until chat and the owner heard of it and that is on record. */
  announced(uploadId: string): Promise<Upload>;
  /** Waits until quarantine holds nothing of it: that comes last, when everybody has been told. */
  leftQuarantine(uploadId: string): Promise<true>;
  record(uploadId: string): Promise<Upload | undefined>;
  edit(uploadId: string, change: object): Promise<void>;
  another(change?: Partial<MediaConfig>): Promise<RunningMedia>;
  close(): Promise<void>;
};

export function environmentOf(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

/** A configuration with a database, a bucket and a queue of its own on the engines of this test run. */
export function testConfig(change: Partial<MediaConfig> = {}): MediaConfig {
  const unique = randomUUID().slice(0, 8);
  return {
    ...readConfig({
      BLUEWAVE_ENV: 'development',
      LOG_LEVEL: 'silent',
      BIND_HOST: '127.0.0.1',
      GRPC_PORT: '0',
      ADMIN_PORT: '0',
      RATE_LIMITS: 'off',
      MONGODB_URL: environmentOf('TEST_MONGODB_URL'),
      MONGODB_DATABASE: `test_media_${unique}`,
      NATS_URL: environmentOf('TEST_NATS_URL'),
      S3_ENDPOINT: environmentOf('TEST_S3_ENDPOINT'),
      S3_REGION: environmentOf('TEST_S3_REGION'),
      S3_BUCKET: `test-media-${unique}`,
      S3_ACCESS_KEY_ID: environmentOf('TEST_S3_ACCESS_KEY_ID'),
      S3_SECRET_ACCESS_KEY: environmentOf('TEST_S3_SECRET_ACCESS_KEY'),
    }),
    workSubject: `bluewave.work.media.test-${unique}`,
    ...change,
  };
}

export const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Polls until `look` answers something. */
export async function eventually<T>(look: () => Promise<T | undefined> | T | undefined, withinMs = 10_000): Promise<T> {
  const end = Date.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > end) throw new Error(`not seen within ${withinMs} ms`);
    await sleep(25);
  }
}

export async function put(reply: { url: string; headers: Record<string, string> }, bytes: Uint8Array) {
  const response = await fetch(reply.url, { method: 'PUT', headers: reply.headers, body: Buffer.from(bytes) });
  return { status: response.status, body: await response.text() };
}

/** The media service on real engines, with everything a test needs to see from outside and inside. */
export async function startMediaUnderTest(change: Partial<MediaConfig> = {}): Promise<MediaUnderTest> {
  const config = testConfig(change);
  const bucket = await testBucket(config.s3);
  const connection = await mongoose.createConnection(config.mongodbUrl, { dbName: config.mongodbDatabase }).asPromise();
  const uploads = connection.collection<UploadDocument>('uploads');
  const bus = new EventBus({ url: config.natsUrl, name: 'media-test', log });
  const told: MediaUnderTest['told'] = { chat: [], owners: [] };
  bus.subscribe(subjects.mediaUpdated, ({ data }) => {
    const { upload } = mediaUpdated.decode(data);
    if (upload) told.chat.push(upload);
  });
  bus.subscribe(subjects.user('*'), ({ data }) => {
    const event = userEvent.decode(data);
    if (event.mediaUpdated) told.owners.push({ userId: event.userId, upload: event.mediaUpdated });
  });
  await (await bus.connection()).flush();
  const running = await startMedia(config, log);
  const others: RunningMedia[] = [];
  const definition = loadService<MediaServiceDefinition>('media', 'MediaService');
  const client = createClient(definition, `127.0.0.1:${running.grpcPort}`, 'media', undefined);
  const context = () => ({ traceId: '0'.repeat(31) + '1', deadline: Date.now() + 5_000 });

  const create = (actorId: string, { bytes, contentType, fileName, purpose, sha256 }: Wish) =>
    client.call.CreateUpload(
      {
        actorId,
        fileName: fileName ?? 'holiday',
        contentType,
        size: bytes.length,
        sha256: sha256 ?? '',
        purpose: purpose ?? 'message',
      },
      context(),
    );
  const upload = async (actorId: string, wish: Wish) => {
    const reply = await create(actorId, wish);
    const answer = await put(reply, wish.bytes);
    if (answer.status !== 200) throw new Error(`PUT answered ${answer.status} ${answer.body}`);
    return reply.uploadId;
  };
  const settled = (uploadId: string) =>
    eventually(async () => {
      const [found] = (await client.call.GetUploads({ uploadIds: [uploadId] }, context())).uploads;
      return found && ['ready', 'rejected'].includes(found.status) ? found : undefined;
    }, 15_000);
  const record = async (uploadId: string) => {
    const found = await uploads.findOne({ _id: new mongoose.Types.UUID(uploadId) });
    return found ? fromDocument(found) : undefined;
  };
  const wasHeard = (uploadId: string) =>
    told.chat.some((one) => one.uploadId === uploadId) && told.owners.some((one) => one.upload.uploadId === uploadId);
  return {
    ...{ config, client, call: client.call, running, bucket, bus, told, context, create, upload, settled, record },
    async settle(actorId, wish) {
      const uploadId = await upload(actorId, wish);
      await client.call.ConfirmUpload({ actorId, uploadId }, context());
      return settled(uploadId);
    },
    announced: (uploadId) =>
      eventually(async () => {
        const found = await record(uploadId);
        return found?.announced && wasHeard(uploadId) ? found : undefined;
      }),
    leftQuarantine: (uploadId) =>
      eventually(async () => ((await bucket.keys()).includes(objectKeys(uploadId).quarantine) ? undefined : true)),
    async edit(uploadId, change) {
      await uploads.updateOne({ _id: new mongoose.Types.UUID(uploadId) }, { $set: change });
    },
    async another(change = {}) {
      const one = await startMedia({ ...config, ...change }, log);
      others.push(one);
      return one;
    },
    async close() {
      client.close();
      await Promise.all([running, ...others].map((one) => one.close()));
      const jetstream = await (await bus.connection()).jetstreamManager();
      const token = config.workSubject.split('.').at(-1);
      await jetstream.consumers.delete(streams.mediaWork.name, `media-${token}`);
      await jetstream.streams.purge(streams.mediaWork.name, { filter: config.workSubject });
      await bus.close();
      await connection.dropDatabase();
      await connection.close();
      await bucket.close();
    },
  };
}

export const newUser = (): string => newId();
