import { randomUUID } from 'node:crypto';
import { newId } from '@bluewave/runtime/ids';
import { createLogger } from '@bluewave/runtime/logger';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import mongoose from 'mongoose';
import { createImageRenderer, defaultRenderLimits, restrictDecoder } from '../../src/processing/render-image.ts';
import { processUpload, type ProcessParts } from '../../src/processing/process-upload.ts';
import { sweepUpload, type SweepParts } from '../../src/processing/sweeper.ts';
import { createMongoUploadLimiter } from '../../src/storage/mongo/mongo-upload-limiter.ts';
import { createMongoUploadStore } from '../../src/storage/mongo/mongo-upload-store.ts';
import { prepareModels } from '../../src/storage/mongo/upload-model.ts';
import { createS3Client } from '../../src/storage/s3/s3-client.ts';
import { createS3ObjectStore } from '../../src/storage/s3/s3-object-store.ts';
import { createS3UrlSigner } from '../../src/storage/s3/s3-url-signer.ts';
import type { ConfirmParts } from '../../src/uploads/confirm-upload.ts';
import { createUpload, type CreateParts } from '../../src/uploads/create-upload.ts';
import { defaultRules, objectKeys, type Upload } from '../../src/uploads/upload.ts';
import { put, testConfig } from './media-under-test.ts';
import { testBucket } from './test-bucket.ts';

const minuteMs = 60_000;

export class Crash extends Error {}

export type AllParts = CreateParts & ConfirmParts & ProcessParts & SweepParts;

/**
 * The rules on a real database and a real bucket, with a clock that can be moved, a queue and an audience that can be
 * seen, and processes that die on command.
 */
export async function openWorkshop() {
  restrictDecoder();
  const config = testConfig();
  const connection = await mongoose.createConnection(config.mongodbUrl, { dbName: config.mongodbDatabase }).asPromise();
  const models = await prepareModels(connection);
  const client = createS3Client(config.s3, config.s3.endpoint);
  await client.send(new CreateBucketCommand({ Bucket: config.s3.bucket }));
  const bucket = await testBucket(config.s3);
  let offset = 0;
  const queued: string[] = [];
  const announced: Upload[] = [];
  const outcomes: string[] = [];
  const parts: AllParts = {
    store: createMongoUploadStore(models),
    limiter: createMongoUploadLimiter(models),
    objects: createS3ObjectStore(client, config.s3.bucket),
    signer: createS3UrlSigner(client, config.s3.bucket),
    queue: { enqueue: (upload) => Promise.resolve(queued.push(upload.id) > 0) },
    announcer: { announce: (upload) => announced.push(upload) > 0 },
    renderImage: createImageRenderer(defaultRenderLimits),
    meter: {
      outcome: (_kind, outcome) => void outcomes.push(outcome),
      processed: () => undefined,
      queueAge: () => undefined,
    },
    clock: () => Date.now() + offset,
    newId,
    rules: defaultRules,
    process: { jobMs: 60_000, leaseMs: 15_000, maxAttempts: 5, render: defaultRenderLimits },
    sweep: config.sweep,
    limited: true,
    log: createLogger('workshop', 'silent'),
  };
  const by = () => ({ deadline: Date.now() + 20_000 });

  const sweep = async () => {
    for (const due of await parts.store.findDue(parts.clock(), 500, by())) await sweepUpload(parts, due, by());
  };
  const work = async (with_: ProcessParts = parts) => {
    for (let id = queued.shift(); id !== undefined; id = queued.shift()) await processUpload(with_, id, randomUUID());
  };
  return {
    ...{ parts, by, queued, announced, outcomes, bucket, sweep, work },
    pass: (ms: number) => void (offset += ms),
    /** Reserves and PUTs. */
    async stored(ownerId: string, contentType: string, bytes: Uint8Array): Promise<Upload> {
      const wish = { ownerId, fileName: 'x', contentType, size: bytes.length, sha256: '', purpose: 'message' as const };
      const reserved = await createUpload(parts, wish, by());
      const answer = await put(reserved, bytes);
      if (answer.status !== 200) throw new Error(`PUT answered ${answer.status}`);
      return (await parts.store.find(reserved.uploadId, by())) as Upload;
    },
    /** What is known of an upload, inside and outside. */
    async state(id: string) {
      const upload = await parts.store.find(id, by());
      return { upload, keys: await bucket.keysOf(id) };
    },
    /** Replicas that are alive go on for 40 minutes. */
    async recover() {
      for (let round = 0; round < 4; round++) {
        offset += 10 * minuteMs;
        await sweep();
        await work();
      }
    },
    async close() {
      await connection.dropDatabase();
      await connection.close();
      await bucket.close();
      client.destroy();
    },
  };
}

/** The parts of a process that dies at its n-th step outside of itself: just before it, or when it was just done. */
export function dyingParts(parts: AllParts, step: number, when: 'before' | 'after'): AllParts & { died(): boolean } {
  let steps = 0;
  let dead = false;
  const die = (): never => {
    dead = true;
    throw new Crash('the process died');
  };
  const wrap = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(object, name) {
        const method: unknown = Reflect.get(object, name);
        if (typeof method !== 'function') return method;
        return (...args: unknown[]): unknown => {
          steps += 1;
          if (dead || (steps === step && when === 'before')) return die();
          const result: unknown = method.apply(object, args);
          if (steps !== step) return result;
          if (object === parts.queue) {
            // Its answer is waited for by nobody who could fail.
            dead = true;
            return new Promise(() => undefined);
          }
          return result instanceof Promise ? result.then(die) : die();
        };
      },
    });
  const { store, limiter, objects, queue, announcer } = parts;
  return {
    ...parts,
    ...{ store: wrap(store), limiter: wrap(limiter), objects: wrap(objects), queue: wrap(queue) },
    announcer: wrap(announcer),
    died: () => dead,
  };
}

export const servedKeys = (id: string, kind: 'image' | 'file') => {
  const { content, thumbnail } = objectKeys(id);
  return kind === 'image' ? [content, thumbnail] : [content];
};
