import { randomUUID } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  GetBucketCorsCommand,
  PutBucketCorsCommand,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { pino } from 'pino';
import { BucketKeeper } from '../src/storage/s3/bucket-keeper.ts';
import { createS3Client, type S3Settings } from '../src/storage/s3/s3-client.ts';
import { eventually, testConfig } from './support/media-under-test.ts';

type Line = { level: number; msg: string };
const closers: (() => Promise<unknown> | void)[] = [];

afterEach(async () => {
  for (let close = closers.pop(); close; close = closers.pop()) await close();
});

function keep(create: boolean, change: Partial<S3Settings> = {}) {
  const settings = { ...testConfig().s3, bucket: `test-keeper-${randomUUID().slice(0, 8)}`, ...change };
  const client = createS3Client(settings, settings.endpoint);
  const stream = new PassThrough();
  const lines: Line[] = [];
  stream.on('data', (line: Buffer) => lines.push(JSON.parse(line.toString()) as Line));
  const { bucket, endpoint } = settings;
  const keeper = new BucketKeeper({ client, bucket, endpoint, create, log: pino({ level: 'info' }, stream) });
  const admin = createS3Client(testConfig().s3, testConfig().s3.endpoint);
  closers.push(() => {
    client.destroy();
    admin.destroy();
  });
  closers.push(() => keeper.close());
  return {
    keeper,
    lines,
    bucket,
    admin,
    errors: () => lines.filter((line) => line.level >= 40).map((line) => line.msg),
  };
}

const removeBucket = (admin: ReturnType<typeof createS3Client>, bucket: string) =>
  closers.splice(1, 0, () => admin.send(new DeleteBucketCommand({ Bucket: bucket })));

/** The rules for browsers, or undefined where the server has none. */
async function corsOf(admin: ReturnType<typeof createS3Client>, bucket: string) {
  try {
    return (await admin.send(new GetBucketCorsCommand({ Bucket: bucket }))).CORSRules;
  } catch (error) {
    if (error instanceof S3ServiceException) return undefined;
    throw error;
  }
}

describe('given a bucket that does not exist', () => {
  it('when it is development, then it is made, and browsers may use signed URLs', async () => {
    const { keeper, bucket, admin, errors } = keep(true);
    await keeper.firstAttempt();
    removeBucket(admin, bucket);
    expect(errors()).toEqual([]);
    expect(await corsOf(admin, bucket)).toEqual([
      expect.objectContaining({
        AllowedOrigins: ['*'],
        AllowedMethods: ['PUT', 'GET', 'HEAD'],
        AllowedHeaders: ['content-type', 'if-none-match', 'x-amz-checksum-sha256', 'range'],
      }),
    ]);
  });

  it('when it is production, then it is not made, one line says so, and it is used once it is there', async () => {
    const { keeper, bucket, admin, lines, errors } = keep(false);
    await keeper.firstAttempt();
    const { endpoint } = testConfig().s3;
    const line = `Bucket ${bucket} at ${endpoint} cannot be used: it does not exist: make it, or correct S3_BUCKET. Uploads fail until it can, messages do not; trying on.`;
    expect(errors()).toEqual([line]);
    await admin.send(new CreateBucketCommand({ Bucket: bucket }));
    removeBucket(admin, bucket);
    await eventually(() => lines.find((one) => one.msg === 'the bucket can be used now'));
    expect(errors()).toEqual([line]);
  });
});

describe('given a bucket whose operator has set rules for browsers', () => {
  it('when the service starts, then they stay', async () => {
    const { keeper, bucket, admin } = keep(false);
    await admin.send(new CreateBucketCommand({ Bucket: bucket }));
    removeBucket(admin, bucket);
    const rule = { AllowedOrigins: ['https://chat.example.com'], AllowedMethods: ['PUT'] };
    await admin.send(new PutBucketCorsCommand({ Bucket: bucket, CORSConfiguration: { CORSRules: [rule] } }));
    await keeper.firstAttempt();
    const again = keep(false, { bucket });
    await again.keeper.firstAttempt();
    await eventually(() => (again.errors().length === 0 ? true : undefined));
    expect(await corsOf(admin, bucket)).toEqual([expect.objectContaining(rule)]);
  });
});

describe('given a storage that cannot be used', () => {
  it('when it refuses the key, then one line says so', async () => {
    const { keeper, errors } = keep(true, {
      credentials: { accessKeyId: 'nobody', secretAccessKey: 'wrong-wrong-wrong' },
    });
    await keeper.firstAttempt();
    expect(errors()).toEqual([
      expect.stringMatching(/cannot be used: the storage refuses these credentials: check S3_ACCESS_KEY_ID/),
    ]);
  });

  it('when it cannot be reached, then one line says so, however often it is tried', async () => {
    const { keeper, errors } = keep(true, { endpoint: 'http://127.0.0.1:1' });
    await keeper.firstAttempt();
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(errors()).toEqual([expect.stringMatching(/cannot be used: .*ECONNREFUSED.*trying on\.$/)]);
    const started = Date.now();
    await keeper.close();
    expect(Date.now() - started).toBeLessThan(500);
  });
});
