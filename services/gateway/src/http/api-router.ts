import { asyncApiDocument } from '@bluewave/api/asyncapi';
import { openApiDocument } from '@bluewave/api/openapi';
import type { Route } from '@bluewave/api/route';
import { routes, type RouteId } from '@bluewave/api/routes';
import { type RequestHandler, Router } from 'express';
import type { Idempotency } from '../idempotency/idempotency.ts';
import { rateLimits } from '../limits/limits.ts';
import type { Handler, HttpDeps } from './handler.ts';
import { createHandlers } from './handlers/handlers.ts';
import { takeOrRefuse } from './limit-requests.ts';
import { methodNotAllowed } from './not-served.ts';
import { readBody } from './read-body.ts';
import { stateOf } from './request-state.ts';
import { admit, serve } from './serve-route.ts';

/** Everything below `/api/v1`: the table of routes, each with its handler, and the documents made from the table. */
export function apiRouter(deps: HttpDeps, idempotency: Idempotency): Router {
  const router = Router({ caseSensitive: true });
  const handlers = createHandlers(deps);
  router.use(async (request, response, next) => {
    await takeOrRefuse(deps.limiter, rateLimits.address, request.ip ?? '', response);
    next();
  });
  for (const [path, ids] of routesByPath()) {
    const here = router.route(path);
    here.all(noteRoute(`/api/v1${path}`));
    const methods: string[] = [];
    for (const id of ids) {
      const route: Route = routes[id];
      methods.push(route.method);
      const chain = [admit(deps, id, route), readBody(), serve({ idempotency }, id, route, handlerOf(handlers, id))];
      here[methodNames[route.method]](...chain);
    }
    here.all(methodNotAllowed(methods));
  }
  serveDocument(router, '/openapi.json', openApiDocument());
  serveDocument(router, '/asyncapi.json', asyncApiDocument());
  return router;
}

const methodNames = { GET: 'get', POST: 'post', PUT: 'put', PATCH: 'patch', DELETE: 'delete' } as const;

/** The table by path, literal segments before parameters: `/users/me` is not the user `me`. */
export function routesByPath(): [string, RouteId[]][] {
  const byPath = new Map<string, RouteId[]>();
  for (const [id, route] of Object.entries(routes) as [RouteId, Route][]) {
    byPath.set(route.path, [...(byPath.get(route.path) ?? []), id]);
  }
  const rank = (path: string): string => path.replaceAll(/:\w+/g, '\uffff');
  return [...byPath].sort(([a], [b]) => (rank(a) < rank(b) ? -1 : 1));
}

/** The handler of one route, whichever it is: its input has been checked against that route's schemas. */
function handlerOf(handlers: ReturnType<typeof createHandlers>, id: RouteId): Handler<Route> {
  return handlers[id] as unknown as Handler<Route>;
}

function noteRoute(pattern: string): RequestHandler {
  return (_request, response, next) => {
    stateOf(response).route = pattern;
    next();
  };
}

function serveDocument(router: Router, path: string, document: unknown): void {
  const text = JSON.stringify(document);
  router
    .route(path)
    .all(noteRoute(`/api/v1${path}`))
    .get((_request, response) => {
      response.set('cache-control', 'public, max-age=300').type('application/json').send(text);
    })
    .all(methodNotAllowed(['GET']));
}
