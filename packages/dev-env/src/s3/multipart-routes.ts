import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { parseAlgorithm, startDigest, type ChecksumAlgorithm } from './checksums.ts';
import type { MultipartUpload, MultipartUploads, Part } from './multipart-uploads.ts';
import { writeCondition, type RouteContext } from './object-routes.ts';
import type { StoredObject } from './object-store.ts';
import { receiveBody, receiveText } from './receive-body.ts';
import { emptyReply, xmlReply, type Reply } from './reply.ts';
import { invalidArgument, malformedXml, S3Error } from './s3-error.ts';
import type { S3Request } from './s3-request.ts';
import type { PayloadHash } from './signature.ts';
import { checksumHeaders, headersToStore } from './stored-headers.ts';
import { xmlElements, xmlText } from './xml.ts';

/** What the routes of multipart uploads work with. */
export type MultipartContext = RouteContext & { uploads: MultipartUploads };

const MOST_PARTS = 10_000;
const SMALLEST_PART = 5 * 1024 ** 2;

const uploadOf = ({ uploads }: MultipartContext, request: S3Request): MultipartUpload =>
  uploads.get(request.bucket, request.key, request.query.get('uploadId'));

/** CreateMultipartUpload. */
export const createUpload = ({ store, uploads, now }: MultipartContext, request: S3Request): Reply => {
  store.requireBucket(request.bucket);
  const algorithm = request.header('x-amz-checksum-algorithm');
  const upload = uploads.start({
    bucket: request.bucket,
    key: request.key,
    startedAt: now().toISOString(),
    described: headersToStore(request),
    ...(algorithm === undefined ? {} : { algorithm: parseAlgorithm(algorithm) }),
  });
  return xmlReply(
    'InitiateMultipartUploadResult',
    { Bucket: request.bucket, Key: request.key, UploadId: upload.id },
    algorithm === undefined ? {} : { 'x-amz-checksum-algorithm': algorithm },
  );
};

/** UploadPart. */
export const uploadPart = async (
  context: MultipartContext,
  request: S3Request,
  payloadHash: PayloadHash,
): Promise<Reply> => {
  const upload = uploadOf(context, request);
  const number = Number(request.query.get('partNumber'));
  if (!Number.isInteger(number) || number < 1 || number > MOST_PARTS)
    throw invalidArgument(`Part number must be an integer between 1 and ${MOST_PARTS}, inclusive`);
  const body = await receiveBody(request, payloadHash, context.store.incomingFile());
  const { size, md5, checksums } = body;
  context.uploads.addPart(upload, { number, size, md5, checksums, modifiedAt: context.now().toISOString() }, body.file);
  return emptyReply(200, { etag: `"${md5}"`, ...checksumHeaders({ checksums, checksumType: 'FULL_OBJECT' }) });
};

const invalidPart = (): S3Error =>
  new S3Error(400, 'InvalidPart', 'One or more of the specified parts could not be found or its etag does not match.');

/** The parts that a completion names, checked against those received. */
const namedParts = (upload: MultipartUpload, document: string): Part[] => {
  const named = xmlElements(document, 'Part').map((element) => ({
    number: Number(xmlText(element, 'PartNumber')),
    etag: (xmlText(element, 'ETag') ?? '').replaceAll('"', ''),
    element,
  }));
  if (named.length === 0 || named.some(({ number }) => !Number.isInteger(number))) throw malformedXml();
  if (named.some(({ number }, index) => index > 0 && number <= (named[index - 1]?.number ?? 0)))
    throw new S3Error(400, 'InvalidPartOrder', 'The list of parts was not in ascending order.');
  const parts = named.map(({ number, etag, element }) => {
    const part = upload.parts.get(number);
    if (part === undefined || part.md5 !== etag) throw invalidPart();
    for (const [algorithm, value] of Object.entries(part.checksums)) {
      const declared = xmlText(element, `Checksum${algorithm.toUpperCase()}`);
      if (declared !== undefined && declared !== value) throw invalidPart();
    }
    return part;
  });
  if (parts.slice(0, -1).some((part) => part.size < SMALLEST_PART))
    throw new S3Error(400, 'EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size.');
  return parts;
};

const join = async (parts: readonly Part[], file: string): Promise<void> => {
  const source = async function* (): AsyncGenerator<Buffer> {
    for (const part of parts) yield* createReadStream(part.file) as AsyncIterable<Buffer>;
  };
  await pipeline(source(), createWriteStream(file, { mode: 0o600 }));
};

const digestOfDigests = (algorithm: ChecksumAlgorithm | 'md5', values: readonly Buffer[]): Buffer => {
  const digest = startDigest(algorithm);
  for (const value of values) digest.update(value);
  return digest.digest();
};

const compositeChecksums = (
  algorithm: ChecksumAlgorithm | undefined,
  parts: readonly Part[],
): StoredObject['checksums'] => {
  if (algorithm === undefined) return {};
  const values = parts.map((part) => part.checksums[algorithm]);
  const known = values.filter((value) => value !== undefined);
  if (known.length < values.length) return {};
  const composite = digestOfDigests(
    algorithm,
    known.map((value) => Buffer.from(value, 'base64')),
  );
  return { [algorithm]: `${composite.toString('base64')}-${parts.length}` };
};

/** CompleteMultipartUpload. */
export const completeUpload = async (
  context: MultipartContext,
  request: S3Request,
  payloadHash: PayloadHash,
): Promise<Reply> => {
  const upload = uploadOf(context, request);
  const parts = namedParts(upload, await receiveText(request, payloadHash));
  const condition = writeCondition(request);
  context.store.checkCondition(request.bucket, request.key, condition);
  const file = context.store.incomingFile();
  await join(parts, file);
  const md5 = digestOfDigests(
    'md5',
    parts.map((part) => Buffer.from(part.md5, 'hex')),
  );
  const object = context.store.commit(
    request.bucket,
    {
      key: request.key,
      size: parts.reduce((sum, part) => sum + part.size, 0),
      etag: `${md5.toString('hex')}-${parts.length}`,
      modifiedAt: context.now().toISOString(),
      ...upload.described,
      checksums: compositeChecksums(upload.algorithm, parts),
      checksumType: 'COMPOSITE',
    },
    file,
    condition,
  );
  context.uploads.end(upload);
  return xmlReply('CompleteMultipartUploadResult', {
    Location: request.path,
    Bucket: request.bucket,
    Key: request.key,
    ETag: `"${object.etag}"`,
    ...Object.fromEntries(
      Object.entries(object.checksums).map(([algorithm, value]) => [`Checksum${algorithm.toUpperCase()}`, value]),
    ),
  });
};

/** AbortMultipartUpload. */
export const abortUpload = (context: MultipartContext, request: S3Request): Reply => {
  context.uploads.end(uploadOf(context, request));
  return emptyReply(204);
};

/** ListParts: all of them in one page. */
export const listParts = (context: MultipartContext, request: S3Request): Reply => {
  const upload = uploadOf(context, request);
  const parts = [...upload.parts.values()].sort((a, b) => a.number - b.number);
  return xmlReply('ListPartsResult', {
    Bucket: upload.bucket,
    Key: upload.key,
    UploadId: upload.id,
    IsTruncated: false,
    Part: parts.map((part) => ({
      PartNumber: part.number,
      LastModified: part.modifiedAt,
      ETag: `"${part.md5}"`,
      Size: part.size,
    })),
  });
};

/** ListMultipartUploads: all of a bucket below a prefix, in one page. */
export const listUploads = ({ store, uploads }: MultipartContext, request: S3Request): Reply => {
  store.requireBucket(request.bucket);
  const prefix = request.query.get('prefix') ?? '';
  const found = uploads.list(request.bucket).filter((one) => one.key.startsWith(prefix));
  return xmlReply('ListMultipartUploadsResult', {
    Bucket: request.bucket,
    Prefix: prefix,
    IsTruncated: false,
    Upload: found
      .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.startedAt.localeCompare(b.startedAt)))
      .map((one) => ({ Key: one.key, UploadId: one.id, Initiated: one.startedAt })),
  });
};
