import { describe, expect, it } from '@jest/globals';
import { readConfig } from '../src/config.ts';

const complete = {
  MONGODB_URL: 'mongodb://db/?replicaSet=rs0',
  NATS_URL: 'nats://bus:4222',
  S3_ENDPOINT: 'http://storage:7070',
  S3_ACCESS_KEY_ID: 'key',
  S3_SECRET_ACCESS_KEY: 'secret',
};

describe('given an environment', () => {
  it('when it has what is needed, then the rest has its defaults', () => {
    expect(readConfig(complete)).toMatchObject({
      logLevel: 'info',
      bindHost: '0.0.0.0',
      grpcPort: 50051,
      adminPort: 9090,
      mongodbDatabase: 'bluewave_media',
      slowQueryMs: 200,
      relaxedReads: 'primary',
      natsReplicas: 1,
      workSubject: 'bluewave.work.media.process',
      s3: {
        endpoint: 'http://storage:7070',
        publicEndpoint: 'http://storage:7070',
        region: 'us-east-1',
        bucket: 'bluewave-media',
        credentials: { accessKeyId: 'key', secretAccessKey: 'secret' },
        forcePathStyle: true,
      },
      createBucket: false,
      rateLimits: true,
      rules: { imageBytes: 20_971_520, fileBytes: 104_857_600, uploadsPerHour: 60, putMs: 300_000, getMs: 300_000 },
    });
  });

  it('when it is development, then the bucket may be made and limits may be lifted', () => {
    const config = readConfig({ ...complete, BLUEWAVE_ENV: 'development', RATE_LIMITS: 'off' });
    expect(config).toMatchObject({ createBucket: true, rateLimits: false });
  });

  it('when the storage has a public name and a role instead of keys, then both are taken', () => {
    const { S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY, ...keyless } = complete;
    const { s3 } = readConfig({ ...keyless, S3_PUBLIC_ENDPOINT: 'https://files.example.com' });
    expect(s3).toMatchObject({ publicEndpoint: 'https://files.example.com', credentials: undefined });
    expect([S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY]).toEqual(['key', 'secret']);
  });

  it.each([
    [{ MONGODB_URL: '' }, /MONGODB_URL/],
    [{ S3_ENDPOINT: 'storage:7070' }, /S3_ENDPOINT/],
    [{ S3_BUCKET: 'Not A Bucket' }, /S3_BUCKET/],
    [{ S3_SECRET_ACCESS_KEY: '' }, /S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY belong together/],
    [{ RATE_LIMITS: 'off' }, /RATE_LIMITS=off is for development/],
    [{ S3_FORCE_PATH_STYLE: 'perhaps' }, /S3_FORCE_PATH_STYLE/],
  ])('when it has %j, then it is refused and the variable named', (change, reason) => {
    expect(() => readConfig({ ...complete, ...change })).toThrow(reason);
  });
});
