import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { asyncApiDocument } from '@bluewave/api/asyncapi';
import { type Response, Router } from 'express';
import { stateOf } from '../request-state.ts';
import { eventsPage } from './events-page.ts';
import { docsStyle, operationsPage, operationsScript } from './operations-page.ts';

/** Everything comes from here: no other host is asked, and no script runs but ours. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'self'",
].join('; ');

const assets: Record<string, string> = {
  'swagger-ui.css': 'text/css',
  'swagger-ui-bundle.js': 'text/javascript',
  'favicon-32x32.png': 'image/png',
};

/** `/docs`: the operations in Swagger UI, and the socket events as a page at `/docs/events`. */
export function docsRouter(): Router {
  const router = Router();
  const events = eventsPage(asyncApiDocument());
  const folder = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  const text = (response: Response, type: string, body: string): void => {
    stateOf(response).route = '/docs';
    response.set('content-security-policy', policy).set('cache-control', 'public, max-age=300').type(type).send(body);
  };
  router.get('/', (_request, response) => text(response, 'html', operationsPage));
  router.get('/events', (_request, response) => text(response, 'html', events));
  router.get('/docs.css', (_request, response) => text(response, 'text/css', docsStyle));
  router.get('/start.js', (_request, response) => text(response, 'text/javascript', operationsScript));
  router.get('/assets/:file', (request, response, next) => {
    const type = Object.hasOwn(assets, request.params.file) ? assets[request.params.file] : undefined;
    if (type === undefined) return next();
    stateOf(response).route = '/docs/assets';
    response.set('cache-control', 'public, max-age=86400').type(type);
    response.sendFile(join(folder, request.params.file));
  });
  return router;
}
