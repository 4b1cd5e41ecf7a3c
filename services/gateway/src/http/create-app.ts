import compression from 'compression';
import cors from 'cors';
import express, { type Express } from 'express';
import helmet from 'helmet';
import { Idempotency } from '../idempotency/idempotency.ts';
import { apiRouter } from './api-router.ts';
import { docsRouter } from './docs/docs-router.ts';
import type { HttpDeps } from './handler.ts';
import { methodNotAllowed, nothingHere } from './not-served.ts';
import { observeRequests } from './observe-requests.ts';
import { problemHandler } from './send-problem.ts';

/** The REST half of the gateway as an Express application: every answer is JSON or a problem, but for `/docs`. */
export function createApp(deps: HttpDeps): Express {
  const app = express();
  const { trustedProxies, corsOrigins } = deps.config;
  app.disable('x-powered-by').disable('etag').enable('case sensitive routing');
  app.set('trust proxy', trustedProxies.length > 0 ? trustedProxies : false);
  app.use(observeRequests(deps.log, deps.metrics));
  app.use((_request, response, next) => {
    // While draining, keep-alive connections end with their answer so that their clients go elsewhere.
    if (!deps.isReady()) response.set('connection', 'close');
    next();
  });
  app.use(
    helmet({
      contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'self'"] } },
      frameguard: { action: 'sameorigin' },
    }),
  );
  app.use(corsFor(corsOrigins));
  app.use(compression());
  app
    .route('/healthz')
    .get((_request, response) => void response.type('text').send('ok\n'))
    .all(methodNotAllowed(['GET']));
  app
    .route('/readyz')
    .get((_request, response) => {
      const ready = deps.isReady();
      response
        .status(ready ? 200 : 503)
        .type('text')
        .send(ready ? 'ready\n' : 'not ready\n');
    })
    .all(methodNotAllowed(['GET']));
  app
    .route('/.well-known/jwks.json')
    .get(async (_request, response) => {
      const keys = await deps.keys.json();
      response.set('cache-control', 'public, max-age=60').type('application/json').send(keys);
    })
    .all(methodNotAllowed(['GET']));
  app.use('/docs', docsRouter());
  app.use('/api/v1', apiRouter(deps, new Idempotency(deps)));
  app.use(nothingHere);
  app.use(problemHandler(deps.log));
  return app;
}

/** Browsers of the listed origins may call; tokens travel in a header, so no credentials of the browser's own. */
function corsFor(origins: readonly string[]): express.RequestHandler {
  return cors({
    origin: origins.includes('*') ? '*' : [...origins],
    methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowedHeaders: ['authorization', 'content-type', 'idempotency-key', 'traceparent'],
    exposedHeaders: [
      'x-trace-id',
      'retry-after',
      'ratelimit-limit',
      'ratelimit-remaining',
      'ratelimit-reset',
      'idempotency-replayed',
    ],
    maxAge: 600,
    // OPTIONS goes on to the path, which says what it takes.
    preflightContinue: true,
  });
}
