import { S3Client } from '@aws-sdk/client-s3';

export type S3Settings = {
  /** What this service calls. */
  endpoint: string;
  /** What signed URLs name: the same storage as clients reach it. */
  publicEndpoint: string;
  region: string;
  bucket: string;
  /** undefined: the provider chain of the platform, e.g. a role of the pod. */
  credentials: { accessKeyId: string; secretAccessKey: string } | undefined;
  forcePathStyle: boolean;
};

const connectionMs = 1_000;
export const requestMs = 5_000;
const sockets = 64;

/** A client that fails fast. Only for one endpoint: the one we call, or the public one, which only signs. */
export function createS3Client(settings: S3Settings, endpoint: string): S3Client {
  return new S3Client({
    endpoint,
    region: settings.region,
    forcePathStyle: settings.forcePathStyle,
    ...(settings.credentials ? { credentials: settings.credentials } : {}),
    // Otherwise a signed PUT demands the CRC of an empty body, which every real upload fails.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: 2,
    requestHandler: {
      connectionTimeout: connectionMs,
      requestTimeout: requestMs,
      throwOnRequestTimeout: true,
      socketTimeout: requestMs,
      httpAgent: { keepAlive: true, maxSockets: sockets },
      httpsAgent: { keepAlive: true, maxSockets: sockets },
    },
  });
}
