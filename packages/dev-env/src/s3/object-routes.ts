import { createReadStream } from 'node:fs';
import { copyFile, stat } from 'node:fs/promises';
import type { ObjectStore, StoredObject, WriteCondition } from './object-store.ts';
import { receiveBody } from './receive-body.ts';
import { emptyReply, xmlReply, type Reply } from './reply.ts';
import { invalidArgument, noSuchKey, preconditionFailed, S3Error } from './s3-error.ts';
import type { S3Request } from './s3-request.ts';
import type { PayloadHash } from './signature.ts';
import { checksumHeaders, headersToStore } from './stored-headers.ts';

/** What a route works with. `now` stamps objects. */
export type RouteContext = { store: ObjectStore; now: () => Date };

/** Parameters by which a presigned GET chooses the headers of its answer. */
const OVERRIDES = [
  'content-type',
  'content-disposition',
  'content-encoding',
  'content-language',
  'cache-control',
  'expires',
];

/** The condition that a request puts on its write. */
export const writeCondition = (request: S3Request): WriteCondition => ({
  ifNoneMatch: request.header('if-none-match'),
  ifMatch: request.header('if-match'),
});

/** PutObject. */
export const putObject = async (
  { store, now }: RouteContext,
  request: S3Request,
  payloadHash: PayloadHash,
): Promise<Reply> => {
  store.requireBucket(request.bucket);
  const condition = writeCondition(request);
  store.checkCondition(request.bucket, request.key, condition);
  const described = headersToStore(request);
  const body = await receiveBody(request, payloadHash, store.incomingFile());
  const object = store.commit(
    request.bucket,
    {
      key: request.key,
      size: body.size,
      etag: body.md5,
      modifiedAt: now().toISOString(),
      ...described,
      checksums: body.checksums,
      checksumType: 'FULL_OBJECT',
    },
    body.file,
    condition,
  );
  return emptyReply(200, { etag: `"${object.etag}"`, ...checksumHeaders(object) });
};

const parseRange = (header: string, size: number): { start: number; end: number } | undefined => {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header);
  if (match === null || (match[1] === '' && match[2] === '')) return undefined;
  const [from, to] = [match[1] ?? '', match[2] ?? ''];
  const start = from === '' ? Math.max(0, size - Number(to)) : Number(from);
  const end = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1);
  if (start >= size || start > end || (from === '' && Number(to) === 0))
    throw new S3Error(416, 'InvalidRange', 'The requested range is not satisfiable');
  return { start, end };
};

const matches = (header: string, etag: string): boolean =>
  header.split(',').some((one) => one.trim() === '*' || one.trim().replaceAll('"', '') === etag);

const isUnchangedSince = (header: string, object: StoredObject): boolean =>
  Math.floor(Date.parse(object.modifiedAt) / 1_000) <= Math.floor(Date.parse(header) / 1_000);

/** Whether the caller holds it already (304); throws when a precondition does not hold. */
const isKnown = (request: S3Request, object: StoredObject): boolean => {
  const [ifMatch, ifNoneMatch] = [request.header('if-match'), request.header('if-none-match')];
  const [since, notSince] = [request.header('if-modified-since'), request.header('if-unmodified-since')];
  if (ifMatch !== undefined && !matches(ifMatch, object.etag)) throw preconditionFailed();
  if (ifMatch === undefined && notSince !== undefined && !isUnchangedSince(notSince, object))
    throw preconditionFailed();
  if (ifNoneMatch !== undefined) return matches(ifNoneMatch, object.etag);
  return since !== undefined && isUnchangedSince(since, object);
};

const overrides = (request: S3Request): Record<string, string> =>
  Object.fromEntries(
    OVERRIDES.flatMap((name) => {
      const value = request.query.get(`response-${name}`);
      return value === null ? [] : [[name, value]];
    }),
  );

/** GetObject and HeadObject. */
export const getObject = ({ store }: RouteContext, request: S3Request): Reply => {
  const object = store.get(request.bucket, request.key);
  if (object === undefined) throw noSuchKey();
  const headers: Record<string, string> = {
    etag: `"${object.etag}"`,
    'last-modified': new Date(object.modifiedAt).toUTCString(),
    'accept-ranges': 'bytes',
  };
  if (isKnown(request, object)) return emptyReply(304, headers);
  const withChecksum = request.header('x-amz-checksum-mode')?.toUpperCase() === 'ENABLED';
  const range = parseRange(request.header('range') ?? '', object.size);
  Object.assign(headers, { 'content-type': object.contentType }, object.headers, overrides(request));
  // A checksum is of the whole object and says nothing about a part of it.
  if (withChecksum && range === undefined) Object.assign(headers, checksumHeaders(object));
  const length = range === undefined ? object.size : range.end - range.start + 1;
  headers['content-length'] = String(length);
  if (range !== undefined) headers['content-range'] = `bytes ${range.start}-${range.end}/${object.size}`;
  const status = range === undefined ? 200 : 206;
  if (request.method === 'HEAD' || length === 0) return { status, headers };
  return { status, headers, body: createReadStream(object.file, range ?? {}) };
};

/** DeleteObject; one that is not there is deleted all the same. */
export const deleteObject = ({ store }: RouteContext, request: S3Request): Reply => {
  store.delete(request.bucket, request.key);
  return emptyReply(204);
};

const copySource = (store: ObjectStore, request: S3Request): StoredObject => {
  const source = /^\/?([^/]+)\/([^?]+)/.exec(request.header('x-amz-copy-source') ?? '');
  if (source === null)
    throw invalidArgument('Copy Source must mention the source bucket and key: sourcebucket/sourcekey');
  const object = store.get(decodeURIComponent(source[1] ?? ''), decodeURIComponent(source[2] ?? ''));
  if (object === undefined) throw noSuchKey();
  const ifMatch = request.header('x-amz-copy-source-if-match');
  if (ifMatch !== undefined && !matches(ifMatch, object.etag)) throw preconditionFailed();
  return object;
};

/** CopyObject, with the metadata of the source or (`REPLACE`) of the request. */
export const copyObject = async ({ store, now }: RouteContext, request: S3Request): Promise<Reply> => {
  store.requireBucket(request.bucket);
  const source = copySource(store, request);
  const replace = request.header('x-amz-metadata-directive')?.toUpperCase() === 'REPLACE';
  const described = replace
    ? headersToStore(request)
    : { contentType: source.contentType, headers: { ...source.headers } };
  const file = store.incomingFile();
  await copyFile(source.file, file).catch((error: unknown) => {
    throw new S3Error(404, 'NoSuchKey', `The source went away: ${String(error)}`);
  });
  const { size } = await stat(file);
  const { etag, checksums, checksumType } = source;
  const modifiedAt = now().toISOString();
  const object = { key: request.key, size, etag, modifiedAt, ...described, checksums, checksumType };
  store.commit(request.bucket, object, file, writeCondition(request));
  return xmlReply('CopyObjectResult', { LastModified: modifiedAt, ETag: `"${etag}"` });
};
