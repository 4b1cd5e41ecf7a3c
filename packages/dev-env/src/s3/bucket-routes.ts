import type { RouteContext } from './object-routes.ts';
import { receiveText } from './receive-body.ts';
import { emptyReply, xmlReply, type Reply } from './reply.ts';
import { invalidArgument, malformedXml, S3Error } from './s3-error.ts';
import type { S3Request } from './s3-request.ts';
import type { PayloadHash } from './signature.ts';
import { xmlElements, xmlText, type XmlValue } from './xml.ts';

const MOST_KEYS = 1_000;

/** ListBuckets. */
export const listBuckets = ({ store }: RouteContext): Reply =>
  xmlReply('ListAllMyBucketsResult', {
    Buckets: { Bucket: store.buckets().map(({ name, createdAt }) => ({ Name: name, CreationDate: createdAt })) },
  });

/** CreateBucket. */
export const createBucket = async (
  { store, now }: RouteContext,
  request: S3Request,
  payloadHash: PayloadHash,
): Promise<Reply> => {
  await receiveText(request, payloadHash);
  store.createBucket(request.bucket, now());
  return emptyReply(200, { location: `/${request.bucket}` });
};

/** HeadBucket. */
export const headBucket = ({ store }: RouteContext, request: S3Request, region: string): Reply => {
  store.requireBucket(request.bucket);
  return emptyReply(200, { 'x-amz-bucket-region': region });
};

/** DeleteBucket: an empty one only. */
export const deleteBucket = ({ store }: RouteContext, request: S3Request): Reply => {
  store.deleteBucket(request.bucket);
  return emptyReply(204);
};

/** PutBucketCors. */
export const putCors = async (
  { store }: RouteContext,
  request: S3Request,
  payloadHash: PayloadHash,
): Promise<Reply> => {
  const document = await receiveText(request, payloadHash);
  if (xmlElements(document, 'CORSRule').length === 0) throw malformedXml();
  store.setCors(request.bucket, document);
  return emptyReply(200);
};

/** GetBucketCors. */
export const getCors = ({ store }: RouteContext, request: S3Request): Reply => {
  store.requireBucket(request.bucket);
  const document = store.cors(request.bucket);
  if (document === undefined)
    throw new S3Error(404, 'NoSuchCORSConfiguration', 'The CORS configuration does not exist');
  return { status: 200, headers: { 'content-type': 'application/xml' }, body: document };
};

/** DeleteBucketCors. */
export const deleteCors = ({ store }: RouteContext, request: S3Request): Reply => {
  store.setCors(request.bucket, undefined);
  return emptyReply(204);
};

type Listing = { keys: string[]; prefixes: string[]; last: string | undefined; isTruncated: boolean };

const collect = (
  keys: Iterable<string>,
  options: { prefix: string; delimiter: string; after: string; most: number },
): Listing => {
  const listing: Listing = { keys: [], prefixes: [], last: undefined, isTruncated: false };
  const after = Buffer.from(options.after);
  for (const key of keys) {
    if (!key.startsWith(options.prefix)) continue;
    const cut = options.delimiter === '' ? -1 : key.indexOf(options.delimiter, options.prefix.length);
    const shown = cut < 0 ? key : key.slice(0, cut + options.delimiter.length);
    if (Buffer.compare(Buffer.from(shown), after) <= 0 || listing.prefixes.at(-1) === shown) continue;
    if (listing.keys.length + listing.prefixes.length >= options.most) return { ...listing, isTruncated: true };
    (cut < 0 ? listing.keys : listing.prefixes).push(shown);
    listing.last = shown;
  }
  return listing;
};

const keyLimit = (text: string | null): number => {
  const limit = text === null ? MOST_KEYS : Number(text);
  if (!Number.isInteger(limit) || limit < 0) throw invalidArgument('max-keys must be a number from 0 to 1000');
  return Math.min(limit, MOST_KEYS);
};

/** ListObjectsV2. The continuation token is the last key shown, encoded. */
export const listObjects = ({ store }: RouteContext, request: S3Request): Reply => {
  const { query, bucket } = request;
  const [prefix, delimiter] = [query.get('prefix') ?? '', query.get('delimiter') ?? ''];
  const token = query.get('continuation-token');
  const after = token === null ? (query.get('start-after') ?? '') : Buffer.from(token, 'base64url').toString('utf8');
  const most = keyLimit(query.get('max-keys'));
  const listing = collect(store.keys(bucket), { prefix, delimiter, after, most });
  const shown = (text: string): string => (query.get('encoding-type') === 'url' ? encodeURIComponent(text) : text);
  const contents = listing.keys.map((key): XmlValue => {
    const object = store.get(bucket, key);
    return {
      Key: shown(key),
      LastModified: object?.modifiedAt,
      ETag: `"${object?.etag}"`,
      Size: object?.size,
      StorageClass: 'STANDARD',
    };
  });
  return xmlReply('ListBucketResult', {
    Name: bucket,
    Prefix: shown(prefix),
    Delimiter: delimiter === '' ? undefined : shown(delimiter),
    MaxKeys: most,
    EncodingType: query.get('encoding-type') ?? undefined,
    KeyCount: listing.keys.length + listing.prefixes.length,
    IsTruncated: listing.isTruncated,
    ContinuationToken: token ?? undefined,
    NextContinuationToken:
      listing.isTruncated && listing.last !== undefined ? Buffer.from(listing.last).toString('base64url') : undefined,
    Contents: contents,
    CommonPrefixes: listing.prefixes.map((one) => ({ Prefix: shown(one) })),
  });
};

/** DeleteObjects: up to 1,000 keys in one request. */
export const deleteObjects = async (
  { store }: RouteContext,
  request: S3Request,
  payloadHash: PayloadHash,
): Promise<Reply> => {
  const document = await receiveText(request, payloadHash);
  const keys = xmlElements(document, 'Object').map((one) => xmlText(one, 'Key'));
  if (keys.length === 0 || keys.length > MOST_KEYS || keys.includes(undefined)) throw malformedXml();
  const named = keys.filter((key) => key !== undefined);
  for (const key of named) store.delete(request.bucket, key);
  const quiet = xmlText(document, 'Quiet') === 'true';
  return xmlReply('DeleteResult', { Deleted: quiet ? [] : named.map((key) => ({ Key: key })) });
};
