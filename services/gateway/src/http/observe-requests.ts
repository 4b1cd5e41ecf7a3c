import { traceIdOf } from '@bluewave/runtime/ids';
import type { Logger } from '@bluewave/runtime/logger';
import type { RequestHandler, Response } from 'express';
import { Histogram, type Registry } from 'prom-client';
import { startState, stateOf } from './request-state.ts';

/** Many a second from every client: logged at debug, counted like all. */
const chatty: ReadonlySet<string> = new Set([
  '/healthz',
  '/readyz',
  '/api/v1/conversations/:id/messages',
  '/api/v1/conversations/:id/read',
  '/api/v1/conversations/:id/delivered',
  '/api/v1/sync',
]);

/**
 * Gives each request its trace (that of a `traceparent` header, else a new one), answers it as `x-trace-id`, and
 * logs and measures the request when it is over: never a body, a query or a header.
 */
export function observeRequests(log: Logger, metrics: Registry): RequestHandler {
  const seconds = new Histogram({
    name: 'bluewave_http_request_seconds',
    help: 'Time from the head of a request to the end of its answer',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 3],
    registers: [metrics],
  });
  return (request, response, next) => {
    const traceId = traceIdOf(request.get('traceparent'));
    startState(response, {
      traceId,
      startedAt: performance.now(),
      route: '',
      userId: undefined,
      spentMs: 0,
      verdict: undefined,
    });
    response.set('x-trace-id', traceId);
    response.once('close', () => report(request.method, response, log, seconds));
    next();
  };
}

function report(
  method: string,
  response: Response,
  log: Logger,
  seconds: Histogram<'method' | 'route' | 'status'>,
): void {
  const { traceId, startedAt, route, userId } = stateOf(response);
  const ms = performance.now() - startedAt;
  // 499: the client went away before it was answered.
  const status = response.writableFinished ? response.statusCode : 499;
  seconds.observe({ method, route: route || 'none', status }, ms / 1_000);
  const level = status >= 500 ? 'warn' : chatty.has(route) ? 'debug' : 'info';
  log[level]({ method, route, status, ms: Math.round(ms * 10) / 10, traceId, userId }, 'request');
}
