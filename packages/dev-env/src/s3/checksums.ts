import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { invalidRequest, S3Error } from './s3-error.ts';

/** Checksums that S3 clients may add to an object. */
export const checksumAlgorithms = ['crc32', 'crc32c', 'sha1', 'sha256'] as const;
export type ChecksumAlgorithm = (typeof checksumAlgorithms)[number];

/** Something that digests bytes; `digest` gives the raw value. */
export type Digest = { update(chunk: Buffer): void; digest(): Buffer };

const CRC32C_TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value >>> 0;
});

const crc32c = (chunk: Buffer, before: number): number => {
  let value = ~before >>> 0;
  for (const byte of chunk) value = (CRC32C_TABLE[(value ^ byte) & 0xff] ?? 0) ^ (value >>> 8);
  return ~value >>> 0;
};

const crcDigest = (step: (chunk: Buffer, before: number) => number): Digest => {
  let value = 0;
  return {
    update: (chunk) => {
      value = step(chunk, value);
    },
    digest: () => {
      const buffer = Buffer.alloc(4);
      buffer.writeUInt32BE(value >>> 0);
      return buffer;
    },
  };
};

/** Starts a digest by S3's name of it, or `md5`. */
export const startDigest = (algorithm: ChecksumAlgorithm | 'md5'): Digest => {
  if (algorithm === 'crc32') return crcDigest(crc32);
  if (algorithm === 'crc32c') return crcDigest(crc32c);
  const hash = createHash(algorithm);
  return {
    update: (chunk) => {
      hash.update(chunk);
    },
    digest: () => hash.digest(),
  };
};

/** The `x-amz-checksum-*` values among headers or trailers, base64 by algorithm. */
export const declaredChecksums = (
  header: (name: string) => string | undefined,
): Partial<Record<ChecksumAlgorithm, string>> => {
  const declared: Partial<Record<ChecksumAlgorithm, string>> = {};
  for (const algorithm of checksumAlgorithms) {
    const value = header(`x-amz-checksum-${algorithm}`);
    if (value !== undefined) declared[algorithm] = value;
  }
  if (header('x-amz-checksum-crc64nvme') !== undefined)
    throw invalidRequest('The embedded server does not know CRC64NVME.');
  if (Object.keys(declared).length > 1) throw invalidRequest('Expecting a single x-amz-checksum- header.');
  return declared;
};

/** The algorithm a client names (`CRC32`...). */
export const parseAlgorithm = (name: string): ChecksumAlgorithm => {
  const found = checksumAlgorithms.find((one) => one === name.toLowerCase());
  if (found === undefined) throw invalidRequest(`Checksum algorithm ${name} is not known.`);
  return found;
};

/** @throws S3Error when the bytes are not those that were declared */
export const checkDigest = (what: string, declared: string, actual: string): void => {
  if (declared !== actual)
    throw new S3Error(400, 'BadDigest', `The ${what} you specified did not match the calculated checksum.`);
};
