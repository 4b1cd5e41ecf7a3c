import {
  createBucket,
  deleteBucket,
  deleteCors,
  deleteObjects,
  getCors,
  headBucket,
  listBuckets,
  listObjects,
  putCors,
} from './bucket-routes.ts';
import {
  abortUpload,
  completeUpload,
  createUpload,
  listParts,
  listUploads,
  uploadPart,
  type MultipartContext,
} from './multipart-routes.ts';
import { copyObject, deleteObject, getObject, putObject } from './object-routes.ts';
import { xmlReply, type Reply } from './reply.ts';
import { notImplemented, S3Error } from './s3-error.ts';
import type { S3Request } from './s3-request.ts';
import type { PayloadHash } from './signature.ts';

/** Subresources that exist in S3 and not here: refusing them beats taking them for something else. */
const UNKNOWN_HERE = [
  'acl',
  'policy',
  'tagging',
  'versioning',
  'versions',
  'lifecycle',
  'notification',
  'website',
  'object-lock',
  'encryption',
  'replication',
  'retention',
  'legal-hold',
  'torrent',
  'select',
  'restore',
  'attributes',
];

const bucketReply = (
  context: MultipartContext,
  request: S3Request,
  payloadHash: PayloadHash,
  region: string,
): Reply | Promise<Reply> => {
  const { method, query } = request;
  const route = `${method} ${query.has('cors') ? 'cors' : query.has('uploads') ? 'uploads' : query.has('delete') ? 'delete' : query.has('location') ? 'location' : ''}`;
  switch (route) {
    case 'PUT ':
      return createBucket(context, request, payloadHash);
    case 'HEAD ':
      return headBucket(context, request, region);
    case 'DELETE ':
      return deleteBucket(context, request);
    case 'GET ':
      if (query.get('list-type') !== '2') throw notImplemented('ListObjects, version 1,');
      return listObjects(context, request);
    case 'GET location':
      context.store.requireBucket(request.bucket);
      return xmlReply('LocationConstraint', region === 'us-east-1' ? '' : region);
    case 'GET uploads':
      return listUploads(context, request);
    case 'POST delete':
      return deleteObjects(context, request, payloadHash);
    case 'PUT cors':
      return putCors(context, request, payloadHash);
    case 'GET cors':
      return getCors(context, request);
    case 'DELETE cors':
      return deleteCors(context, request);
    default:
      throw methodNotAllowed();
  }
};

const methodNotAllowed = (): S3Error =>
  new S3Error(405, 'MethodNotAllowed', 'The specified method is not allowed against this resource.');

const objectReply = (
  context: MultipartContext,
  request: S3Request,
  payloadHash: PayloadHash,
): Reply | Promise<Reply> => {
  const { method, query } = request;
  const inUpload = query.has('uploadId');
  const isCopy = request.header('x-amz-copy-source') !== undefined;
  switch (method) {
    case 'PUT':
      if (inUpload && isCopy) throw notImplemented('UploadPartCopy');
      if (inUpload) return uploadPart(context, request, payloadHash);
      return isCopy ? copyObject(context, request) : putObject(context, request, payloadHash);
    case 'GET':
      return inUpload ? listParts(context, request) : getObject(context, request);
    case 'HEAD':
      return getObject(context, request);
    case 'DELETE':
      return inUpload ? abortUpload(context, request) : deleteObject(context, request);
    case 'POST':
      if (query.has('uploads')) return createUpload(context, request);
      if (inUpload) return completeUpload(context, request, payloadHash);
      throw methodNotAllowed();
    default:
      throw methodNotAllowed();
  }
};

/** Answers a request whose signature was checked. */
export const routeRequest = async (
  context: MultipartContext,
  request: S3Request,
  payloadHash: PayloadHash,
  region: string,
): Promise<Reply> => {
  const unknown = UNKNOWN_HERE.find((name) => request.query.has(name));
  if (unknown !== undefined) throw notImplemented(`?${unknown}`);
  if (request.bucket === '') {
    if (request.method !== 'GET') throw methodNotAllowed();
    return listBuckets(context);
  }
  return request.key === ''
    ? bucketReply(context, request, payloadHash, region)
    : objectReply(context, request, payloadHash);
};
