import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { errorBody, faultErrors, invalidArgument, type FcmError } from './fcm-error.ts';
import { Faults, parseFaultOrder } from './faults.ts';
import { Inbox } from './inbox.ts';
import { phonesPage } from './phones-page.ts';
import { validateRequest } from './validate-request.ts';

type Request = IncomingMessage | Http2ServerRequest;
type Reply = { status: number; type: string; body: string };

const MOST_BODY_BYTES = 1_048_576;
const SEND_PATH = /^\/v1\/projects\/([^/]+)\/messages:send$/;

const json = (status: number, body: unknown): Reply => ({
  status,
  type: 'application/json; charset=UTF-8',
  body: JSON.stringify(body),
});

const refused = (error: FcmError): Reply => json(error.code, errorBody(error));

const notFound = (): Reply => refused({ code: 404, status: 'NOT_FOUND', message: 'Requested URL was not found.' });

const readJson = async (request: Request): Promise<{ value: unknown } | { error: FcmError }> => {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MOST_BODY_BYTES) return { error: invalidArgument('', 'Request payload size exceeds the limit.') };
    chunks.push(chunk);
  }
  try {
    return { value: JSON.parse(Buffer.concat(chunks).toString('utf8')) };
  } catch {
    return { error: invalidArgument('', 'Invalid JSON payload received.') };
  }
};

/** The stand-in's state and its answers; the same for HTTP/1.1 and HTTP/2. Returns undefined for "never answer". */
const answer = async (request: Request, inbox: Inbox, faults: Faults, now: () => Date): Promise<Reply | undefined> => {
  const url = new URL(request.url ?? '/', 'http://fcm');
  const route = `${request.method} ${url.pathname}`;
  const project = SEND_PATH.exec(url.pathname)?.[1];
  if (request.method === 'POST' && project !== undefined) return send(request, project, inbox, faults, now);
  if (route === 'POST /faults') {
    const body = await readJson(request);
    if ('error' in body) return refused(body.error);
    const order = parseFaultOrder(body.value);
    if (typeof order === 'string') return refused(invalidArgument('error', order));
    faults.apply(order);
    return json(200, {});
  }
  if (route === 'GET /inbox') return json(200, { items: inbox.list(url.searchParams.get('token') ?? undefined) });
  if (route === 'GET /phones') return json(200, { phones: inbox.phones() });
  if (route === 'GET /healthz') return json(200, { ok: true });
  if (route === 'GET /') return { status: 200, type: 'text/html; charset=utf-8', body: phonesPage };
  return notFound();
};

const send = async (
  request: Request,
  project: string,
  inbox: Inbox,
  faults: Faults,
  now: () => Date,
): Promise<Reply | undefined> => {
  const body = await readJson(request);
  if (!/^Bearer \S+$/.test(request.headers.authorization ?? ''))
    return refused({
      code: 401,
      status: 'UNAUTHENTICATED',
      message: 'Request is missing required authentication credential.',
    });
  if ('error' in body) return refused(body.error);
  const checked = validateRequest(body.value);
  if ('error' in checked) return refused(checked.error);
  const { token, message, validateOnly } = checked.request;
  const fault = faults.of(token);
  if (fault === 'HANG') return undefined;
  if (fault !== null) return refused(faultErrors[fault]);
  if (!validateOnly) inbox.add({ token, at: now().toISOString(), message });
  return json(200, { name: `projects/${project}/messages/${validateOnly ? 'fake_message_id' : randomUUID()}` });
};

/** What serves requests of both protocols. */
export type FcmHandler = (request: Request, response: ServerResponse | Http2ServerResponse) => void;

const write = (response: ServerResponse | Http2ServerResponse, reply: Reply): void => {
  // Both protocols have these; their types share no signature for `end`.
  response.statusCode = reply.status;
  response.setHeader('content-type', reply.type);
  response.setHeader('cache-control', 'no-store');
  response.end(reply.body);
};

/** A fresh stand-in: nothing sent yet, no faults. `now` stamps deliveries. */
export const fcmHandler = (now: () => Date): FcmHandler => {
  const inbox = new Inbox();
  const faults = new Faults();
  return (request, response) => {
    answer(request, inbox, faults, now).then(
      (reply) => {
        if (reply !== undefined) write(response, reply);
      },
      // The client went away in the middle of its request: there is nobody left to answer.
      () => response.destroy(),
    );
  };
};
