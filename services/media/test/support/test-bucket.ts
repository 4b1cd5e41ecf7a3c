import {
  DeleteBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { createS3Client, type S3Settings } from '../../src/storage/s3/s3-client.ts';

/** Looks into a bucket from outside the service; `close` empties and removes it. */
export async function testBucket(settings: S3Settings) {
  const client = createS3Client(settings, settings.endpoint);
  const Bucket = settings.bucket;
  const keys = async (): Promise<string[]> => {
    const listed = await client.send(new ListObjectsV2Command({ Bucket }));
    return (listed.Contents ?? []).flatMap(({ Key }) => (Key === undefined ? [] : [Key])).sort();
  };
  return {
    client,
    keys,
    /** The keys of one upload. */
    keysOf: async (uploadId: string) => (await keys()).filter((key) => key.includes(uploadId)),
    async read(key: string): Promise<Buffer> {
      const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: key }));
      return Buffer.from((await Body?.transformToByteArray()) ?? []);
    },
    /** Stores behind the service's back. */
    async write(key: string, bytes: Uint8Array): Promise<void> {
      await client.send(new PutObjectCommand({ Bucket, Key: key, Body: bytes }));
    },
    async close(): Promise<void> {
      for (const key of await keys()) await client.send(new DeleteObjectCommand({ Bucket, Key: key }));
      await client.send(new DeleteBucketCommand({ Bucket }));
      client.destroy();
    },
  };
}
