import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutBucketCorsCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { waitUntil } from '../src/net/wait-until.ts';
import { startEmbeddedS3, type EmbeddedS3 } from '../src/s3/embedded-s3.ts';

const Bucket = 'photos';
const credentials = { accessKeyId: 'key', secretAccessKey: 'secret' };
let folder: string;
let server: EmbeddedS3;
let client: S3Client;
let presigner: S3Client;
let clock = () => new Date();

const connect = (overrides: object = {}): S3Client =>
  new S3Client({
    endpoint: server.url,
    region: 'us-east-1',
    credentials,
    forcePathStyle: true,
    maxAttempts: 1,
    ...overrides,
  });

const start = (): Promise<EmbeddedS3> =>
  startEmbeddedS3({ folder, port: 0, credentials: { ...credentials, region: 'us-east-1' }, now: () => clock() });

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'bluewave-s3-test-'));
  server = await start();
  client = connect();
  presigner = connect({ requestChecksumCalculation: 'WHEN_REQUIRED' });
  await client.send(new CreateBucketCommand({ Bucket }));
});

afterAll(async () => {
  client.destroy();
  presigner.destroy();
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

const text = async (Key: string): Promise<string> => {
  const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
  return (await Body?.transformToString()) ?? '';
};

const failure = (work: Promise<unknown>): Promise<{ name: string; status: number }> =>
  work.then(
    () => ({ name: 'no failure', status: 0 }),
    (error: { name: string; $metadata: { httpStatusCode: number } }) => ({
      name: error.name,
      status: error.$metadata.httpStatusCode,
    }),
  );

const errorCode = async (response: Response): Promise<string> =>
  `${response.status} ${/<Code>(\w+)<\/Code>/.exec(await response.text())?.[1] ?? ''}`;

/** A presigned PUT as the media service makes it: length, type and If-None-Match are signed. */
const signedPut = (Key: string, body: Buffer, extra: object = {}): Promise<string> =>
  getSignedUrl(
    presigner,
    new PutObjectCommand({
      Bucket,
      Key,
      ContentType: 'image/png',
      ContentLength: body.length,
      IfNoneMatch: '*',
      ...extra,
    }),
    {
      expiresIn: 60,
      signableHeaders: new Set(['host', 'content-type', 'content-length', 'x-amz-checksum-sha256']),
      unhoistableHeaders: new Set(['if-none-match', 'x-amz-checksum-sha256']),
    },
  );

const put = (url: string, body: Buffer, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(url, { method: 'PUT', body, headers: { 'content-type': 'image/png', 'if-none-match': '*', ...headers } });

describe('objects through the SDK', () => {
  it('given an object with metadata, when it is read, then bytes, type, metadata and checksum come back', async () => {
    const body = randomBytes(100_000);
    await client.send(
      new PutObjectCommand({
        Bucket,
        Key: 'a/b c+ü.bin',
        Body: body,
        ContentType: 'text/x-test',
        CacheControl: 'max-age=5',
        Metadata: { owner: 'alice' },
        ChecksumAlgorithm: 'SHA256',
      }),
    );
    const read = await client.send(new GetObjectCommand({ Bucket, Key: 'a/b c+ü.bin', ChecksumMode: 'ENABLED' }));
    expect(Buffer.from((await read.Body?.transformToByteArray()) ?? [])).toEqual(body);
    expect(read).toMatchObject({
      ContentType: 'text/x-test',
      CacheControl: 'max-age=5',
      ContentLength: 100_000,
      Metadata: { owner: 'alice' },
      ETag: `"${createHash('md5').update(body).digest('hex')}"`,
      ChecksumSHA256: createHash('sha256').update(body).digest('base64'),
    });
  });

  it('given a stream, when the SDK sends it in aws-chunked with a trailer, then its bytes are stored', async () => {
    const Body = Readable.from([Buffer.from('first '), Buffer.from('second')]);
    await client.send(new PutObjectCommand({ Bucket, Key: 'stream', Body, ContentLength: 12 }));
    expect(await text('stream')).toBe('first second');
    const head = await client.send(new HeadObjectCommand({ Bucket, Key: 'stream', ChecksumMode: 'ENABLED' }));
    expect(head.ContentEncoding).toBeUndefined();
    expect(head.ChecksumCRC32).toMatch(/^[\w+/]{6}==$/);
  });

  it('given an object, when ranges are asked for, then exactly those bytes come back', async () => {
    await client.send(new PutObjectCommand({ Bucket, Key: 'digits', Body: '0123456789' }));
    const range = async (Range: string): Promise<unknown[]> => {
      const read = await client.send(new GetObjectCommand({ Bucket, Key: 'digits', Range }));
      return [read.$metadata.httpStatusCode, read.ContentRange, await read.Body?.transformToString()];
    };
    expect(await range('bytes=2-4')).toEqual([206, 'bytes 2-4/10', '234']);
    expect(await range('bytes=7-')).toEqual([206, 'bytes 7-9/10', '789']);
    expect(await range('bytes=-2')).toEqual([206, 'bytes 8-9/10', '89']);
    expect(await failure(client.send(new GetObjectCommand({ Bucket, Key: 'digits', Range: 'bytes=10-' })))).toEqual({
      name: 'InvalidRange',
      status: 416,
    });
  });

  it('given a copy that replaces metadata, when both are read, then the bytes are the same and the type is new', async () => {
    await client.send(new PutObjectCommand({ Bucket, Key: 'from here', Body: 'same', ContentType: 'text/plain' }));
    await client.send(
      new CopyObjectCommand({
        Bucket,
        Key: 'to',
        CopySource: `${Bucket}/from%20here`,
        MetadataDirective: 'REPLACE',
        ContentType: 'text/html',
      }),
    );
    const head = await client.send(new HeadObjectCommand({ Bucket, Key: 'to' }));
    expect([head.ContentType, head.ContentLength, await text('to')]).toEqual(['text/html', 4, 'same']);
  });

  it('given keys below prefixes, when they are listed in pages, then keys and prefixes come once and in order', async () => {
    for (const Key of ['l/1', 'l/2/a', 'l/2/b', 'l/3', 'l/4'])
      await client.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
    const first = await client.send(new ListObjectsV2Command({ Bucket, Prefix: 'l/', Delimiter: '/', MaxKeys: 2 }));
    const second = await client.send(
      new ListObjectsV2Command({
        Bucket,
        Prefix: 'l/',
        Delimiter: '/',
        ContinuationToken: first.NextContinuationToken,
      }),
    );
    const shown = [first, second].map((page) => ({
      keys: page.Contents?.map((one) => one.Key),
      prefixes: page.CommonPrefixes?.map((one) => one.Prefix),
      more: page.IsTruncated,
    }));
    expect(shown).toEqual([
      { keys: ['l/1'], prefixes: ['l/2/'], more: true },
      { keys: ['l/3', 'l/4'], prefixes: undefined, more: false },
    ]);
  });

  it('given objects, when they are deleted one by one and together, then they are gone and doing it again is no error', async () => {
    for (const Key of ['d/<1>', 'd/2', 'd/3']) await client.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
    await client.send(new DeleteObjectCommand({ Bucket, Key: 'd/2' }));
    await client.send(new DeleteObjectCommand({ Bucket, Key: 'd/2' }));
    await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: 'd/<1>' }, { Key: 'd/3' }] } }));
    const list = await client.send(new ListObjectsV2Command({ Bucket, Prefix: 'd/' }));
    expect(list.KeyCount).toBe(0);
    expect(await failure(client.send(new HeadObjectCommand({ Bucket, Key: 'd/2' })))).toEqual({
      name: 'NotFound',
      status: 404,
    });
  });

  it('given two writers with If-None-Match, when both put, then one wins and the other gets 412', async () => {
    const write = (Body: string) => client.send(new PutObjectCommand({ Bucket, Key: 'once', Body, IfNoneMatch: '*' }));
    const results = await Promise.allSettled([write('x'), write('y')]);
    expect(results.map((one) => one.status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await failure(write('z'))).toEqual({ name: 'PreconditionFailed', status: 412 });
  });

  it('given wrong keys, buckets and checksums, when they are used, then each is refused by its code', async () => {
    const stranger = connect({ credentials: { accessKeyId: 'other', secretAccessKey: 'secret' } });
    const liar = connect({ credentials: { accessKeyId: 'key', secretAccessKey: 'wrong' } });
    const abroad = connect({ region: 'eu-west-1' });
    const head = new ListObjectsV2Command({ Bucket });
    expect(await failure(stranger.send(head))).toEqual({ name: 'InvalidAccessKeyId', status: 403 });
    expect(await failure(liar.send(head))).toEqual({ name: 'SignatureDoesNotMatch', status: 403 });
    expect(await failure(abroad.send(head))).toEqual({ name: 'AuthorizationHeaderMalformed', status: 400 });
    expect(await failure(client.send(new HeadBucketCommand({ Bucket: 'absent' })))).toEqual({
      name: 'NotFound',
      status: 404,
    });
    expect(await failure(client.send(new GetObjectCommand({ Bucket, Key: 'absent' })))).toEqual({
      name: 'NoSuchKey',
      status: 404,
    });
    const bad = new PutObjectCommand({
      Bucket,
      Key: 'bad',
      Body: 'x',
      ChecksumSHA256: createHash('sha256').update('y').digest('base64'),
    });
    expect(await failure(client.send(bad))).toEqual({ name: 'BadDigest', status: 400 });
    for (const one of [stranger, liar, abroad]) one.destroy();
  });
});

describe('presigned URLs', () => {
  const body = Buffer.from('the picture');

  it('given a signed PUT, when it is used as signed, then the object is stored once', async () => {
    const url = await signedPut('up/1', body);
    expect((await put(url, body)).status).toBe(200);
    expect(await errorCode(await put(url, body))).toBe('412 PreconditionFailed');
    expect(await text('up/1')).toBe('the picture');
  });

  it('given a signed PUT, when anything signed is changed, then it is refused and nothing is stored', async () => {
    const url = await signedPut('up/2', body);
    const answers = [
      await put(url, body, { 'content-type': 'text/html' }),
      await put(url, Buffer.from('another length')),
      await put(url.replace('up/2', 'up/3'), body),
      await put(url.replace('X-Amz-Expires=60', 'X-Amz-Expires=600'), body),
      await put(url, body, { 'if-none-match': 'x' }),
    ];
    for (const answer of answers) expect(await errorCode(answer)).toBe('403 SignatureDoesNotMatch');
    expect(await errorCode(await put(url, body, { 'x-amz-acl': 'public-read' }))).toBe('403 AccessDenied');
    expect((await client.send(new ListObjectsV2Command({ Bucket, Prefix: 'up/2' }))).KeyCount).toBe(0);
  });

  it('given a signed checksum, when other bytes of the same length come, then they are refused', async () => {
    const sha256 = createHash('sha256').update(body).digest('base64');
    const url = await signedPut('up/4', body, { ChecksumSHA256: sha256 });
    const headers = { 'x-amz-checksum-sha256': sha256 };
    expect(await errorCode(await put(url, Buffer.from('THE PICTURE'), headers))).toBe('400 BadDigest');
    expect((await put(url, body, headers)).status).toBe(200);
  });

  it('given a URL whose checksum of nothing was hoisted into it, when bytes come, then they are refused', async () => {
    const url = await getSignedUrl(client, new PutObjectCommand({ Bucket, Key: 'up/5' }), { expiresIn: 60 });
    expect(url).toContain('x-amz-checksum-crc32=');
    expect(await errorCode(await fetch(url, { method: 'PUT', body }))).toBe('400 BadDigest');
  });

  it('given a PUT that is cut off, when the connection ends, then nothing is stored', async () => {
    const url = await signedPut('up/6', Buffer.alloc(1_000));
    await new Promise<void>((resolve) => {
      const headers = { 'content-type': 'image/png', 'if-none-match': '*', 'content-length': '1000' };
      const upload = httpRequest(url, { method: 'PUT', headers });
      upload.on('error', () => resolve());
      upload.write(Buffer.alloc(600), () => setTimeout(() => upload.destroy(), 50));
    });
    const leftovers = async (): Promise<void> => expect(await readdir(path.join(folder, 'incoming'))).toEqual([]);
    await waitUntil(leftovers, { timeoutMs: 2_000 });
    const head = new HeadObjectCommand({ Bucket, Key: 'up/6' });
    expect(await failure(client.send(head))).toEqual({ name: 'NotFound', status: 404 });
  });

  it('given a signed GET, when its time is over, then it is refused', async () => {
    const url = await getSignedUrl(
      client,
      new GetObjectCommand({ Bucket, Key: 'digits', ResponseContentDisposition: 'attachment' }),
      {
        expiresIn: 60,
      },
    );
    const answer = await fetch(url);
    expect([answer.status, answer.headers.get('content-disposition'), await answer.text()]).toEqual([
      200,
      'attachment',
      '0123456789',
    ]);
    clock = () => new Date(Date.now() + 61_000);
    const late = await fetch(url);
    clock = () => new Date();
    expect(await errorCode(late)).toBe('403 AccessDenied');
  });

  it('given no signature at all, when anything is asked for, then it is refused', async () => {
    expect(await errorCode(await fetch(`${server.url}/${Bucket}/digits`))).toBe('403 AccessDenied');
  });
});

describe('multipart uploads', () => {
  const Key = 'big';
  const large = randomBytes(5 * 1024 * 1024);

  it('given parts, when they are completed in order, then the object is their sum', async () => {
    const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key, ContentType: 'video/mp4' }));
    const parts = [];
    for (const [index, Body] of [large, Buffer.from('end')].entries()) {
      const PartNumber = index + 1;
      const sent = await client.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }));
      parts.push({ PartNumber, ETag: sent.ETag, ChecksumCRC32: sent.ChecksumCRC32 });
    }
    const listed = await client.send(new ListPartsCommand({ Bucket, Key, UploadId }));
    expect(listed.Parts?.map((one) => [one.PartNumber, one.Size])).toEqual([
      [1, large.length],
      [2, 3],
    ]);
    const complete = (Parts: object[]) =>
      client.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }));
    expect(await failure(complete([...parts].reverse()))).toEqual({ name: 'InvalidPartOrder', status: 400 });
    expect(await failure(complete([{ PartNumber: 1, ETag: '"wrong"' }]))).toEqual({ name: 'InvalidPart', status: 400 });
    const done = await complete(parts);
    expect(done.ETag).toMatch(/^"[0-9a-f]{32}-2"$/);
    const head = await client.send(new HeadObjectCommand({ Bucket, Key }));
    expect([head.ContentLength, head.ContentType]).toEqual([large.length + 3, 'video/mp4']);
    expect(await failure(complete(parts))).toEqual({ name: 'NoSuchUpload', status: 404 });
  });

  it('given an upload, when it is aborted, then it is listed no more and takes no parts', async () => {
    const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'gone' }));
    const list = () => client.send(new ListMultipartUploadsCommand({ Bucket }));
    expect((await list()).Uploads?.map((one) => [one.Key, one.UploadId])).toEqual([['gone', UploadId]]);
    await client.send(new AbortMultipartUploadCommand({ Bucket, Key: 'gone', UploadId }));
    expect((await list()).Uploads).toBeUndefined();
    const part = new UploadPartCommand({ Bucket, Key: 'gone', UploadId, PartNumber: 1, Body: 'x' });
    expect(await failure(client.send(part))).toEqual({ name: 'NoSuchUpload', status: 404 });
  });
});

describe('browsers', () => {
  it('given a CORS configuration, when a preflight fits it, then it is allowed, and refused when it does not', async () => {
    const preflight = (method: string) =>
      fetch(`${server.url}/${Bucket}/x`, {
        method: 'OPTIONS',
        headers: {
          origin: 'https://app.example',
          'access-control-request-method': method,
          'access-control-request-headers': 'content-type,if-none-match',
        },
      });
    expect(await errorCode(await preflight('PUT'))).toBe('403 AccessDenied');
    const CORSRules = [
      {
        AllowedOrigins: ['https://*.example'],
        AllowedMethods: ['PUT'],
        AllowedHeaders: ['*'],
        ExposeHeaders: ['ETag'],
      },
    ];
    await client.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules } }));
    const allowed = await preflight('PUT');
    expect([
      allowed.status,
      allowed.headers.get('access-control-allow-origin'),
      allowed.headers.get('access-control-allow-headers'),
    ]).toEqual([200, 'https://app.example', 'content-type, if-none-match']);
    expect(await errorCode(await preflight('DELETE'))).toBe('403 AccessDenied');
  });
});

describe('its folder', () => {
  it('given objects and uploads, when the server starts again, then they are still there', async () => {
    await client.send(new PutObjectCommand({ Bucket, Key: 'kept', Body: 'kept' }));
    const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'kept-upload' }));
    await server.close();
    client.destroy();
    server = await start();
    client = connect();
    expect(await text('kept')).toBe('kept');
    const parts = await client.send(new ListPartsCommand({ Bucket, Key: 'kept-upload', UploadId }));
    expect(parts.UploadId).toBe(UploadId);
  });
});
