import {
  aborted,
  BluewaveError,
  fromProblem,
  isProblem,
  offline,
  timedOut,
  toBluewaveError,
} from '../bluewave-error.ts';
import { operations, type Operations } from '../contract.ts';
import { type Environment, systemClock } from '../environment.ts';
import type { TokenSource } from './token-source.ts';

type OperationId = keyof Operations;

export type CallOptions = {
  signal?: AbortSignal;
  /** Makes repeats of a request that changes something answer as the first. */
  idempotencyKey?: string;
};

/**
 * Any REST operation of the contract by its name, with its types: `api('usersSearch', {query: {q: 'ada'}})`. Answers
 * within 10 s. @throws BluewaveError with the platform's code, or OFFLINE, TIMEOUT, ABORTED.
 */
export type Api = <O extends OperationId>(
  operation: O,
  ...input: Record<string, never> extends Operations[O]['input']
    ? [input?: Operations[O]['input'], options?: CallOptions]
    : [input: Operations[O]['input'], options?: CallOptions]
) => Promise<Operations[O]['answer']>;

export type ApiOptions = {
  /** Of a gateway, such as `https://chat.example.com`. */
  url: string;
  fetch?: typeof fetch;
  /** For operations that need a token; without one only the public ones work. */
  tokens?: Pick<TokenSource, 'get' | 'reject'>;
  clock?: Environment['clock'];
};

type AnyInput = {
  params?: Record<string, string>;
  query?: Record<string, string | number | undefined>;
  body?: unknown;
};

const deadlineMs = 10_000;
/** A new token helps against these. */
const tokenCodes: readonly string[] = ['TOKEN_EXPIRED', 'TOKEN_INVALID', 'SESSION_REVOKED', 'UNAUTHENTICATED'];

/** Whether another token may succeed where this one did not. */
export function needsNewToken({ code }: BluewaveError): boolean {
  return tokenCodes.includes(code);
}

export function createApi(options: ApiOptions): Api {
  const call = async (operation: OperationId, input: AnyInput = {}, given: CallOptions = {}): Promise<unknown> => {
    const { tokens } = options;
    const [, , access] = operations[operation];
    if (access === 'public') return send(options, operation, input, given, undefined);
    if (!tokens) throw new BluewaveError('UNAUTHENTICATED', 'This needs a session.', { retryable: false });
    const token = await tokens.get();
    try {
      return await send(options, operation, input, given, token);
    } catch (thrown) {
      const error = toBluewaveError(thrown);
      if (!needsNewToken(error)) throw error;
      tokens.reject(token);
      return send(options, operation, input, given, await tokens.get());
    }
  };
  return call as Api;
}

async function send(
  options: ApiOptions,
  operation: OperationId,
  input: AnyInput,
  given: CallOptions,
  token: string | undefined,
): Promise<unknown> {
  const [method] = operations[operation];
  const hasBody = input.body !== undefined || method === 'POST';
  const { status, text } = await exchange(options, urlOf(options.url, operation, input), given.signal, {
    method,
    headers: {
      accept: 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(hasBody ? { 'content-type': 'application/json' } : {}),
      ...(given.idempotencyKey === undefined ? {} : { 'idempotency-key': given.idempotencyKey }),
    },
    ...(hasBody ? { body: JSON.stringify(input.body ?? {}) } : {}),
  });
  const body = parse(text);
  if (status < 400) return body;
  if (isProblem(body)) throw fromProblem(body);
  // Not of the platform: something in between answered.
  throw new BluewaveError('UNAVAILABLE', `The way to the platform answered ${status}.`, { retryable: status >= 500 });
}

/** One HTTP exchange with a deadline, without `AbortSignal.any`, which not every runtime has. */
async function exchange(
  { fetch: given = globalThis.fetch, clock = systemClock }: ApiOptions,
  url: string,
  signal: AbortSignal | undefined,
  init: RequestInit,
): Promise<{ status: number; text: string }> {
  if (signal?.aborted) throw aborted();
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  let late = false;
  const stop = clock.after(deadlineMs, () => {
    late = true;
    abort();
  });
  signal?.addEventListener('abort', abort);
  try {
    const response = await given(url, { ...init, signal: controller.signal });
    return { status: response.status, text: await response.text() };
  } catch (error) {
    if (signal?.aborted) throw aborted();
    throw late ? timedOut() : offline(error);
  } finally {
    stop();
    signal?.removeEventListener('abort', abort);
  }
}

function urlOf(base: string, operation: OperationId, { params = {}, query = {} }: AnyInput): string {
  const path = operations[operation][1].replaceAll(/\{(\w+)\}/g, (_whole, name: string) =>
    encodeURIComponent(params[name] ?? ''),
  );
  const search = Object.entries(query)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`)
    .join('&');
  return `${base.replace(/\/+$/, '')}/api/v1${path}${search === '' ? '' : `?${search}`}`;
}

function parse(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    // Something in between answered with a page of its own: the status says what there is to know.
    return undefined;
  }
}
