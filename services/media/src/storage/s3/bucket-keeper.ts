import {
  CreateBucketCommand,
  GetBucketCorsCommand,
  HeadBucketCommand,
  PutBucketCorsCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { pause } from '@bluewave/runtime/deadline';
import type { Logger } from '@bluewave/runtime/logger';
import { hasName, hasStatus } from './s3-failure.ts';

export type BucketOptions = {
  client: S3Client;
  bucket: string;
  /** For messages. */
  endpoint: string;
  /** Whether a missing bucket is made: in development; elsewhere it is the operator's. */
  create: boolean;
  log: Logger;
};

const attemptMs = 3_000;
const longestWaitMs = 15_000;

/**
 * Makes sure of the bucket at start, in the background: the service starts without it, says once in one line what is
 * wrong, and goes on trying until it is there.
 */
export class BucketKeeper {
  readonly #options: BucketOptions;
  readonly #abort = new AbortController();
  readonly #done: Promise<void>;
  readonly #tried: Promise<void>;
  #resolveTried: () => void = () => undefined;

  constructor(options: BucketOptions) {
    this.#options = options;
    this.#tried = new Promise((resolve) => (this.#resolveTried = resolve));
    this.#done = this.#run();
  }

  /** Resolves after the first attempt, whatever came of it. */
  firstAttempt(): Promise<void> {
    return this.#tried;
  }

  async close(): Promise<void> {
    this.#abort.abort(new Error('closed'));
    await this.#done;
  }

  async #run(): Promise<void> {
    const { log, bucket, endpoint } = this.#options;
    let told = '';
    for (let waitMs = 500; !this.#abort.signal.aborted; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
      try {
        await prepareBucket(this.#options, AbortSignal.any([this.#abort.signal, AbortSignal.timeout(attemptMs)]));
        if (told !== '') log.info({ bucket }, 'the bucket can be used now');
        return this.#resolveTried();
      } catch (error) {
        const reason = reasonOf(error);
        if (reason !== told && !this.#abort.signal.aborted) {
          log.error(
            `Bucket ${bucket} at ${endpoint} cannot be used: ${reason}. Uploads fail until it can, messages do not; trying on.`,
          );
        }
        told = reason;
      }
      this.#resolveTried();
      await pause(waitMs, this.#abort.signal);
    }
    this.#resolveTried();
  }
}

async function prepareBucket(options: BucketOptions, abortSignal: AbortSignal): Promise<void> {
  const { client, bucket, create, log } = options;
  try {
    await client.send(new HeadBucketCommand({ Bucket: bucket }), { abortSignal });
  } catch (error) {
    if (!create || !hasStatus(error, 404)) throw error;
    await createBucket(options, abortSignal);
  }
  try {
    await allowBrowsers(options, abortSignal);
  } catch (error) {
    // Not every storage has rules for browsers, and not every key may set them.
    log.info({ bucket, reason: reasonOf(error) }, 'CORS of the bucket was left as it is');
  }
}

async function createBucket({ client, bucket, log }: BucketOptions, abortSignal: AbortSignal): Promise<void> {
  try {
    await client.send(new CreateBucketCommand({ Bucket: bucket }), { abortSignal });
    log.info({ bucket }, 'bucket created');
  } catch (error) {
    // Another replica was faster.
    if (!hasName(error, 'BucketAlreadyOwnedByYou', 'BucketAlreadyExists')) throw error;
  }
}

/** Rules that an operator has set stay. Any origin may use a signed URL: it is the signature that permits. */
async function allowBrowsers({ client, bucket }: BucketOptions, abortSignal: AbortSignal): Promise<void> {
  try {
    await client.send(new GetBucketCorsCommand({ Bucket: bucket }), { abortSignal });
    return;
  } catch (error) {
    if (!hasName(error, 'NoSuchCORSConfiguration')) throw error;
  }
  await client.send(
    new PutBucketCorsCommand({
      Bucket: bucket,
      CORSConfiguration: {
        CORSRules: [
          {
            AllowedOrigins: ['*'],
            AllowedMethods: ['PUT', 'GET', 'HEAD'],
            AllowedHeaders: ['content-type', 'if-none-match', 'x-amz-checksum-sha256', 'range'],
            ExposeHeaders: ['etag', 'content-length', 'content-range'],
            MaxAgeSeconds: 3_600,
          },
        ],
      },
    }),
    { abortSignal },
  );
}

/** Answers that some storages give with another status than 403. */
const refusals = ['InvalidAccessKeyId', 'SignatureDoesNotMatch', 'XAdminUserNotFound'];

function reasonOf(error: unknown): string {
  if (hasName(error, ...refusals) || hasStatus(error, 401, 403))
    return 'the storage refuses these credentials: check S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY and S3_REGION';
  if (hasStatus(error, 404)) return 'it does not exist: make it, or correct S3_BUCKET';
  if (!(error instanceof Error)) return String(error);
  const reason = error.message || error.name;
  return error.name === 'AbortError' || /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH/.test(reason)
    ? `the storage does not answer (${reason}): check S3_ENDPOINT, and that it may be reached from here`
    : reason;
}
