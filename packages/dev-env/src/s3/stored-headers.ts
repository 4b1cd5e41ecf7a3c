import type { StoredObject } from './object-store.ts';
import { S3Error } from './s3-error.ts';
import type { S3Request } from './s3-request.ts';

const KEPT = ['cache-control', 'content-disposition', 'content-language', 'expires'] as const;
const MOST_METADATA_BYTES = 2_048;

const contentEncoding = (request: S3Request): Record<string, string> => {
  // `aws-chunked` says how the body travelled, not what it is.
  const kept = (request.header('content-encoding') ?? '')
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '' && one !== 'aws-chunked');
  return kept.length === 0 ? {} : { 'content-encoding': kept.join(',') };
};

const metadata = (request: S3Request): Record<string, string> => {
  const found: Record<string, string> = {};
  for (const [name, value] of request.query) if (/^x-amz-meta-/i.test(name)) found[name.toLowerCase()] = value;
  for (const [name, value] of Object.entries(request.http.headers))
    if (name.startsWith('x-amz-meta-') && typeof value === 'string') found[name] = value;
  const size = Object.entries(found).reduce(
    (sum, [name, value]) => sum + name.length - 11 + Buffer.byteLength(value),
    0,
  );
  if (size > MOST_METADATA_BYTES)
    throw new S3Error(400, 'MetadataTooLarge', 'Your metadata headers exceed the maximum allowed metadata size.');
  return found;
};

/** What a request that stores an object says about it: its type and the headers that are sent back with it. */
export const headersToStore = (request: S3Request): Pick<StoredObject, 'contentType' | 'headers'> => {
  const headers: Record<string, string> = { ...contentEncoding(request), ...metadata(request) };
  for (const name of KEPT) {
    const value = request.header(name);
    if (value !== undefined) headers[name] = value;
  }
  return { contentType: request.header('content-type') ?? 'application/octet-stream', headers };
};

/** The checksum headers of an object. */
export const checksumHeaders = (object: Pick<StoredObject, 'checksums' | 'checksumType'>): Record<string, string> => {
  const entries = Object.entries(object.checksums).map(([algorithm, value]) => [`x-amz-checksum-${algorithm}`, value]);
  if (entries.length === 0) return {};
  return { ...Object.fromEntries(entries), 'x-amz-checksum-type': object.checksumType };
};
