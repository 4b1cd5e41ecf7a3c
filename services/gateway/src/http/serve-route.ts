import type { Route } from '@bluewave/api/route';
import type { CallContext } from '@bluewave/rpc/service-definition';
import { within } from '@bluewave/runtime/deadline';
import type { Request, RequestHandler, Response } from 'express';
import type { Identity } from '../identity/identity.ts';
import type { Idempotency } from '../idempotency/idempotency.ts';
import { rateLimits } from '../limits/limits.ts';
import { bearerToken } from './bearer-token.ts';
import type { Handler, HandlerRequest, HttpDeps } from './handler.ts';
import { takeOrRefuse } from './limit-requests.ts';
import { stateOf } from './request-state.ts';
import { validate } from './validate.ts';

/** Every request is answered within this, in milliseconds. */
const deadlineMs = 3_000;
/** Refused while the limits cannot be read: guessing passwords or codes must not become free. */
const guarded: ReadonlySet<string> = new Set(['auth.register', 'auth.login', 'auth.requestCode', 'auth.verifyCode']);

/** An answer of any route, ready to be sent. */
export type Answer = { status: number; body: unknown; headers?: Record<string, string> };

/** Who asks: verified and counted, before the body of the request is read. */
export function admit(deps: HttpDeps, id: string, route: Route): RequestHandler {
  const identify = async (request: Request, response: Response): Promise<void> => {
    if (guarded.has(id)) {
      await takeOrRefuse(deps.limiter, rateLimits.signIn, request.ip ?? '', response, 'refuse');
    }
    if (route.access === 'public') return;
    const caller = await deps.verifier.verify(bearerToken(request.headers.authorization));
    stateOf(response).userId = caller.userId;
    callers.set(request, caller);
    deps.directory.prime(caller);
    await takeOrRefuse(deps.limiter, rateLimits.user, caller.userId, response);
  };
  return async (request, response, next) => {
    const started = Date.now();
    await within(deadlineMs, 'The platform', identify(request, response));
    stateOf(response).spentMs = Date.now() - started;
    next();
  };
}

const callers = new WeakMap<Request, Identity>();

/** The rest of a request: validated, handled within its deadline, answered; repeats get the first answer. */
export function serve<R extends Route>(
  deps: { idempotency: Idempotency },
  id: string,
  route: R,
  handler: Handler<R>,
): RequestHandler {
  return async (request, response) => {
    const state = stateOf(response);
    // The time that a client takes to send its body is not counted.
    const deadline = Date.now() + deadlineMs - state.spentMs;
    const input = validate(route, partsOf(request));
    const context: CallContext = { traceId: state.traceId, deadline };
    const caller = callers.get(request);
    const key = route.method === 'GET' ? undefined : request.get('idempotency-key');
    const handle = async (): Promise<Answer> =>
      handler({
        ...input,
        caller,
        ip: request.ip ?? '',
        idempotencyKey: key,
        context,
      } as HandlerRequest<R>);
    const answer =
      key === undefined
        ? handle()
        : deps.idempotency.run({ key, scope: caller?.userId ?? 'public', routeId: id, input }, handle);
    // What answers too late may still happen: the caller asks again with the same key or clientMsgId.
    send(response, await within(deadline - Date.now(), 'The platform', answer));
  };
}

function partsOf(request: Request): { params: unknown; query: unknown; body: unknown } {
  const body: unknown = request.body;
  return { params: { ...request.params }, query: { ...request.query }, body: body === undefined ? {} : body };
}

function send(response: Response, { status, body, headers }: Answer): void {
  response.status(status).set('cache-control', 'no-store');
  if (headers) response.set(headers);
  if (body === undefined) response.end();
  else response.type('application/json').send(JSON.stringify(body));
}
