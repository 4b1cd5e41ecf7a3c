import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { decodeAwsChunked } from './aws-chunked.ts';
import {
  checkDigest,
  declaredChecksums,
  parseAlgorithm,
  startDigest,
  type ChecksumAlgorithm,
  type Digest,
} from './checksums.ts';
import { invalidArgument, invalidRequest, notImplemented, S3Error } from './s3-error.ts';
import type { S3Request } from './s3-request.ts';
import { UNSIGNED_PAYLOAD, type PayloadHash } from './signature.ts';

/** A body that was received completely and is what its sender declared. `md5` is hex, checksums are base64. */
export type ReceivedBody = {
  file: string;
  size: number;
  md5: string;
  checksums: Partial<Record<ChecksumAlgorithm, string>>;
};

const LARGEST_PUT = 5 * 1024 ** 3;
const UNSIGNED_STREAM = 'STREAMING-UNSIGNED-PAYLOAD-TRAILER';

const declaredLength = (request: S3Request, streaming: boolean): number => {
  const text = request.http.headers[streaming ? 'x-amz-decoded-content-length' : 'content-length'];
  if (typeof text !== 'string' || !/^\d+$/.test(text))
    throw new S3Error(411, 'MissingContentLength', 'You must provide the Content-Length HTTP header.');
  const length = Number(text);
  if (length > LARGEST_PUT)
    throw new S3Error(400, 'EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size.');
  return length;
};

type Meter = { size: number; md5: Digest; sha256: Digest; extra: Map<ChecksumAlgorithm, Digest> };

async function* metered(source: AsyncIterable<Buffer>, meter: Meter, limit: number): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    meter.size += chunk.length;
    if (meter.size > limit) throw new S3Error(400, 'IncompleteBody', 'The body is longer than its declared length.');
    meter.md5.update(chunk);
    meter.sha256.update(chunk);
    for (const digest of meter.extra.values()) digest.update(chunk);
    yield chunk;
  }
}

/** Which checksums to compute: those declared up front or announced for the trailer. */
const wantedAlgorithms = (request: S3Request): ChecksumAlgorithm[] => {
  const declared = Object.keys(declaredChecksums(request.header)) as ChecksumAlgorithm[];
  const trailer = /^x-amz-checksum-(\w+)$/.exec(request.header('x-amz-trailer') ?? '')?.[1];
  const wanted = [...new Set([...declared, ...(trailer === undefined ? [] : [parseAlgorithm(trailer)])])];
  const named = request.header('x-amz-sdk-checksum-algorithm');
  if (named !== undefined && !wanted.includes(parseAlgorithm(named)))
    throw invalidRequest('x-amz-sdk-checksum-algorithm specified, but no corresponding checksum was found.');
  return wanted;
};

const checkPayload = (payloadHash: PayloadHash, sha256: Buffer): void => {
  if (payloadHash === UNSIGNED_PAYLOAD || payloadHash === UNSIGNED_STREAM) return;
  if (payloadHash !== sha256.toString('hex'))
    throw new S3Error(
      400,
      'XAmzContentSHA256Mismatch',
      "The provided 'x-amz-content-sha256' does not match what was computed.",
    );
};

/**
 * Receives a body into a file, and only if it is exactly what was declared: its length, the signed SHA-256, Content-MD5
 * and `x-amz-checksum-*` in header, query or trailer. A body that was cut off leaves nothing.
 *
 * @throws S3Error when it is not
 */
export const receiveBody = async (
  request: S3Request,
  payloadHash: PayloadHash,
  file: string,
): Promise<ReceivedBody> => {
  const streaming = payloadHash.startsWith('STREAMING-');
  if (streaming && payloadHash !== UNSIGNED_STREAM) throw notImplemented(payloadHash);
  if (!streaming && payloadHash !== UNSIGNED_PAYLOAD && !/^[0-9a-f]{64}$/.test(payloadHash))
    throw invalidArgument('x-amz-content-sha256 must be UNSIGNED-PAYLOAD or a SHA-256.');
  const length = declaredLength(request, streaming);
  const wanted = wantedAlgorithms(request);
  const meter: Meter = {
    size: 0,
    md5: startDigest('md5'),
    sha256: startDigest('sha256'),
    extra: new Map(wanted.map((algorithm) => [algorithm, startDigest(algorithm)])),
  };
  const trailers = new Map<string, string>();
  const source = streaming ? decodeAwsChunked(request.http, (name, value) => trailers.set(name, value)) : request.http;
  try {
    await pipeline(metered(source, meter, length), createWriteStream(file, { mode: 0o600 }));
    if (meter.size !== length)
      throw new S3Error(400, 'IncompleteBody', 'You did not provide the number of bytes specified by Content-Length.');
    return { file, size: length, ...checkDigests(request, payloadHash, meter, trailers) };
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  }
};

const checkDigests = (
  request: S3Request,
  payloadHash: PayloadHash,
  meter: Meter,
  trailers: ReadonlyMap<string, string>,
): Pick<ReceivedBody, 'md5' | 'checksums'> => {
  checkPayload(payloadHash, meter.sha256.digest());
  const md5 = meter.md5.digest();
  const declaredMd5 = request.header('content-md5');
  if (declaredMd5 !== undefined) checkDigest('Content-MD5', declaredMd5, md5.toString('base64'));
  const declared = declaredChecksums((name) => trailers.get(name) ?? request.header(name));
  const checksums: ReceivedBody['checksums'] = {};
  for (const [algorithm, digest] of meter.extra) {
    const actual = digest.digest().toString('base64');
    const expected = declared[algorithm];
    if (expected !== undefined) checkDigest(algorithm.toUpperCase(), expected, actual);
    checksums[algorithm] = actual;
  }
  return { md5: md5.toString('hex'), checksums };
};

/** Receives a small document (XML) as text, checked the same way except that nothing is stored. */
export const receiveText = async (request: S3Request, payloadHash: PayloadHash): Promise<string> => {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request.http as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > 2_097_152) throw new S3Error(400, 'EntityTooLarge', 'The document is too large.');
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks);
  checkPayload(payloadHash, createHash('sha256').update(body).digest());
  const declaredMd5 = request.header('content-md5');
  if (declaredMd5 !== undefined)
    checkDigest('Content-MD5', declaredMd5, createHash('md5').update(body).digest('base64'));
  return body.toString('utf8');
};
