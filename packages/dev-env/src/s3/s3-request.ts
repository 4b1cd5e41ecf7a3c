import type { IncomingMessage } from 'node:http';
import { invalidArgument, S3Error } from './s3-error.ts';

/** A request taken apart. `path` is as it was sent (encoded); `bucket` and `key` are decoded, path style. */
export type S3Request = {
  http: IncomingMessage;
  method: string;
  path: string;
  query: URLSearchParams;
  bucket: string;
  key: string;
  /**
   * A header, or an `x-amz-*` parameter of the query: presigning moves such headers there, and S3 takes them as if they
   * had been sent.
   */
  header(name: string): string | undefined;
};

const LONGEST_KEY_BYTES = 1_024;
const BUCKET_NAME = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

const decode = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new S3Error(400, 'InvalidURI', "Couldn't parse the specified URI.");
  }
};

/** @throws S3Error for a bucket or key that S3 would not take */
export const parseRequest = (http: IncomingMessage): S3Request => {
  const [path = '/', search = ''] = (http.url ?? '/').split('?', 2);
  const query = new URLSearchParams(search);
  const [bucket = '', ...rest] = path.slice(1).split('/');
  const key = decode(rest.join('/'));
  if (bucket !== '' && !BUCKET_NAME.test(decode(bucket)))
    throw new S3Error(400, 'InvalidBucketName', 'The specified bucket is not valid.');
  if (Buffer.byteLength(key) > LONGEST_KEY_BYTES) throw new S3Error(400, 'KeyTooLongError', 'Your key is too long.');
  if (key.includes('\u0000')) throw invalidArgument('A key may hold no NUL.');
  return {
    http,
    method: http.method ?? 'GET',
    path,
    query,
    bucket: decode(bucket),
    key,
    header: (name) => {
      const value = http.headers[name];
      if (value !== undefined) return Array.isArray(value) ? value.join(',') : value;
      return name.startsWith('x-amz-') ? parameter(query, name) : undefined;
    },
  };
};

/** A parameter of the query whatever its case: presigners write `x-amz-meta-a` as well as `X-Amz-Meta-A`. */
const parameter = (query: URLSearchParams, name: string): string | undefined => {
  for (const [key, value] of query) if (key.toLowerCase() === name) return value;
  return undefined;
};
