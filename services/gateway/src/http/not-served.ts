import { AppError } from '@bluewave/errors/app-error';
import type { RequestHandler } from 'express';

/** The end of every path that is not served. */
export const nothingHere: RequestHandler = (_request, _response, next) => {
  next(new AppError('NOT_FOUND', 'No such path. The operations are listed at /docs.'));
};

/** Answers every other method of a path that is served. */
export function methodNotAllowed(methods: readonly string[]): RequestHandler {
  const allowed = [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ');
  return (request, response, next) => {
    response.set('allow', allowed);
    if (request.method === 'OPTIONS') return void response.status(204).end();
    next(new AppError('METHOD_NOT_ALLOWED', `This path takes ${allowed}.`));
  };
}
