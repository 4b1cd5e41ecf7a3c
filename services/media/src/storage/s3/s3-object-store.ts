import { createHash } from 'node:crypto';
import { addAbortSignal, type Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  type GetObjectCommandInput,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { remainingMs } from '@bluewave/runtime/deadline';
import type { ObjectStore } from '../../uploads/object-store.ts';
import { hasStatus, s3Failure } from './s3-failure.ts';
import { requestMs } from './s3-client.ts';

/** Large objects are copied within the storage; the answer comes when it is done. */
const transferMs = 60_000;

type CallOptions = { abortSignal: AbortSignal; requestTimeout: number };

/** Runs one request until the deadline at the latest; `absent` statuses answer undefined. */
async function call<T>(
  deadline: number,
  absent: number[],
  request: (options: CallOptions) => Promise<T>,
  atMostMs = requestMs,
): Promise<T | undefined> {
  const ms = remainingMs(deadline);
  try {
    return await request({ abortSignal: AbortSignal.timeout(ms), requestTimeout: Math.min(ms, atMostMs) });
  } catch (error) {
    if (hasStatus(error, ...absent)) return undefined;
    throw s3Failure(error, deadline);
  }
}

/** Gone, or another version than the one asked for (also: not so many bytes as asked for). */
const goneOrOther = [404, 412];

/** The bucket behind S3, by requests that each have a deadline. */
export function createS3ObjectStore(client: S3Client, bucket: string): ObjectStore {
  const at = (key: string) => ({ Bucket: bucket, Key: key });
  const open = async (input: GetObjectCommandInput, options: CallOptions): Promise<Readable> => {
    const { Body } = await client.send(new GetObjectCommand(input), options);
    return addAbortSignal(options.abortSignal, Body as Readable);
  };
  return {
    async head(key, { deadline }) {
      const found = await call(deadline, [404], (options) =>
        client.send(new HeadObjectCommand({ ...at(key), ChecksumMode: 'ENABLED' }), options),
      );
      if (!found) return undefined;
      const sha256 = Buffer.from(found.ChecksumSHA256 ?? '', 'base64').toString('hex');
      return { size: found.ContentLength ?? 0, etag: found.ETag ?? '', sha256 };
    },

    readStart: (key, etag, length, { deadline }) =>
      call(deadline, goneOrOther, async (options) => {
        const body = await open({ ...at(key), IfMatch: etag, Range: `bytes=0-${length - 1}` }, options);
        return buffer(body);
      }),

    read: (key, etag, { deadline }) =>
      call(deadline, goneOrOther, async (options) => buffer(await open({ ...at(key), IfMatch: etag }, options))),

    sha256: (key, etag, { deadline }) =>
      call(deadline, goneOrOther, async (options) => {
        const hash = createHash('sha256');
        await pipeline(await open({ ...at(key), IfMatch: etag }, options), hash);
        return hash.digest('hex');
      }),

    async put(key, bytes, contentType, { deadline }) {
      const command = new PutObjectCommand({ ...at(key), Body: bytes, ContentType: contentType });
      await call(deadline, [], (options) => client.send(command, options), transferMs);
    },

    async copy(from, etag, to, contentType, { deadline }) {
      const command = new CopyObjectCommand({
        ...at(to),
        CopySource: `${bucket}/${from}`,
        CopySourceIfMatch: etag,
        MetadataDirective: 'REPLACE',
        ContentType: contentType,
      });
      const done = await call(deadline, goneOrOther, (options) => client.send(command, options), transferMs);
      return done !== undefined;
    },

    async remove(key, { deadline }) {
      await call(deadline, [404], (options) => client.send(new DeleteObjectCommand(at(key)), options));
    },
  };
}
