import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { corsHeaders } from './cors.ts';
import type { MultipartContext } from './multipart-routes.ts';
import { MultipartUploads } from './multipart-uploads.ts';
import { ObjectStore } from './object-store.ts';
import { emptyReply, type Reply } from './reply.ts';
import { accessDenied, S3Error } from './s3-error.ts';
import { parseRequest, type S3Request } from './s3-request.ts';
import { routeRequest } from './s3-routes.ts';
import { checkRequestSignature, type S3Credentials } from './signature.ts';
import { xmlDocument } from './xml.ts';
import { messageOf } from '../platform-error.ts';

/** A listening server. */
export type EmbeddedS3 = { url: string; close: () => Promise<void> };

export type EmbeddedS3Options = {
  /** Keeps buckets and objects. One server at a time uses it. */
  folder: string;
  /** 0 takes a free one. */
  port: number;
  credentials: S3Credentials;
  now: () => Date;
};

const errorReply = (error: unknown, request: IncomingMessage): Reply => {
  const known = error instanceof S3Error ? error : new S3Error(500, 'InternalError', messageOf(error));
  // A HEAD answer has no body, so clients go by the status alone.
  if (request.method === 'HEAD') return emptyReply(known.status);
  const document = xmlDocument('Error', { Code: known.code, Message: known.message, RequestId: randomUUID() });
  return {
    status: known.status,
    headers: { 'content-type': 'application/xml' },
    // Errors carry no namespace in S3.
    body: document.replace(/ xmlns="[^"]*"/, ''),
  };
};

const listOf = (header: string | undefined): string[] =>
  (header ?? '')
    .split(',')
    .map((one) => one.trim().toLowerCase())
    .filter((one) => one !== '');

const preflight = (store: ObjectStore, { bucket, http }: S3Request): Reply => {
  const { origin } = http.headers;
  const method = http.headers['access-control-request-method'];
  const document = store.cors(bucket);
  if (origin === undefined || method === undefined || document === undefined) throw accessDenied('CORSResponse');
  const headers = corsHeaders(document, {
    origin,
    method,
    headers: listOf(http.headers['access-control-request-headers']),
  });
  if (headers === undefined) throw accessDenied('CORSResponse: This CORS request is not allowed.');
  return emptyReply(200, headers);
};

/** The headers a browser needs to read the answer, errors included. */
const originHeaders = (store: ObjectStore, http: IncomingMessage): Record<string, string> => {
  const { origin } = http.headers;
  const bucket = (http.url ?? '').split(/[/?]/)[1] ?? '';
  const document = store.cors(decodeURIComponentOr(bucket));
  if (origin === undefined || document === undefined) return {};
  return corsHeaders(document, { origin, method: http.method ?? 'GET', headers: [] }) ?? {};
};

const decodeURIComponentOr = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
};

const send = async (http: IncomingMessage, response: ServerResponse, reply: Reply): Promise<void> => {
  const { body } = reply;
  const length = typeof body === 'string' ? { 'content-length': String(Buffer.byteLength(body)) } : {};
  // What is left of a refused upload is not read: the connection ends with the answer.
  const close = http.complete ? {} : { connection: 'close' };
  response.writeHead(reply.status, { 'x-amz-request-id': randomUUID(), ...length, ...close, ...reply.headers });
  if (body === undefined || typeof body === 'string') response.end(body);
  else await pipeline(body, response);
};

/**
 * A small S3 server for development and tests, strict where an application could go wrong unnoticed: signatures in
 * headers and URLs with everything that must be signed, exact lengths (a cut-off upload is never stored), checksums,
 * `If-None-Match`, multipart uploads, ranges, CORS. It has no versions, no policies, no lifecycle rules, and answers
 * 501 when asked for them.
 */
export const startEmbeddedS3 = async (options: EmbeddedS3Options): Promise<EmbeddedS3> => {
  const { folder, credentials, now } = options;
  const context: MultipartContext = { store: new ObjectStore(folder), uploads: new MultipartUploads(folder), now };
  const answer = async (http: IncomingMessage): Promise<Reply> => {
    if (http.url === '/health') return { status: 200, body: 'OK' };
    const request = parseRequest(http);
    if (request.method === 'OPTIONS') return preflight(context.store, request);
    const payloadHash = checkRequestSignature(request, credentials, now().getTime());
    return routeRequest(context, request, payloadHash, credentials.region);
  };
  const server = createServer((http, response) => {
    void (async () => {
      const reply = await answer(http).catch((error: unknown) => errorReply(error, http));
      const headers = { ...originHeaders(context.store, http), ...reply.headers };
      await send(http, response, { ...reply, headers });
    })().catch(() => response.destroy());
  });
  server.on('checkContinue', (http, response) => {
    response.writeContinue();
    server.emit('request', http, response);
  });
  server.listen(options.port, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
};
