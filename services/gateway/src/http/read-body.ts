import { limits } from '@bluewave/api/limits';
import { AppError } from '@bluewave/errors/app-error';
import express, { type RequestHandler } from 'express';

/**
 * Reads a JSON body of at most 64 KiB. A request without a body passes with `{}`, so that the schema can say what is
 * missing. @throws UNSUPPORTED_MEDIA_TYPE, PAYLOAD_TOO_LARGE, MALFORMED_JSON.
 */
export function readBody(): RequestHandler {
  // Any JSON value is read, the schema says what it must be.
  const parse = express.json({ limit: limits.socketPayloadBytes, strict: false, type: () => true });
  return (request, response, next) => {
    const { 'content-length': length, 'transfer-encoding': chunked } = request.headers;
    if (chunked === undefined && (length === undefined || length === '0')) {
      request.body = undefined;
      return next();
    }
    if (!isJson(request.headers['content-type'])) {
      return next(new AppError('UNSUPPORTED_MEDIA_TYPE', 'Send the body as application/json.'));
    }
    parse(request, response, next);
  };
}

function isJson(contentType: string | undefined): boolean {
  return /^\s*application\/json\s*(;|$)/i.test(contentType ?? '');
}
