import {
  BucketAlreadyExists,
  BucketAlreadyOwnedByYou,
  CreateBucketCommand,
  HeadBucketCommand,
  PutBucketCorsCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import type { S3Access } from './s3-server.ts';

const TIMEOUT_MS = 10_000;

const allowBrowsers = (client: S3Client, bucket: string): Promise<unknown> =>
  client.send(
    new PutBucketCorsCommand({
      Bucket: bucket,
      CORSConfiguration: {
        CORSRules: [
          {
            AllowedOrigins: ['*'],
            AllowedMethods: ['GET', 'HEAD', 'PUT'],
            AllowedHeaders: ['*'],
            ExposeHeaders: ['ETag'],
          },
        ],
      },
    }),
    { abortSignal: AbortSignal.timeout(TIMEOUT_MS) },
  );

const exists = async (client: S3Client, bucket: string): Promise<boolean> => {
  try {
    await client.send(new HeadBucketCommand({ Bucket: bucket }), { abortSignal: AbortSignal.timeout(TIMEOUT_MS) });
    return true;
  } catch (error) {
    if (error instanceof S3ServiceException && error.$metadata.httpStatusCode === 404) return false;
    throw error;
  }
};

/** Makes a bucket that browsers may upload to with presigned URLs; one that exists stays as it is. */
export const ensureBucket = async (access: S3Access, bucket: string): Promise<void> => {
  // Once a process the SDK prints that Node 20 is old; that is no news to whoever starts this.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
  const client = new S3Client({
    endpoint: access.endpoint,
    region: access.region,
    credentials: { accessKeyId: access.accessKeyId, secretAccessKey: access.secretAccessKey },
    forcePathStyle: true,
  });
  try {
    if (await exists(client, bucket)) return;
    await client
      .send(new CreateBucketCommand({ Bucket: bucket }), { abortSignal: AbortSignal.timeout(TIMEOUT_MS) })
      .catch((error: unknown) => {
        if (!(error instanceof BucketAlreadyExists || error instanceof BucketAlreadyOwnedByYou)) throw error;
      });
    await allowBrowsers(client, bucket);
  } finally {
    client.destroy();
  }
};
