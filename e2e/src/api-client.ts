import { randomUUID } from 'node:crypto';
import { io, type Socket } from 'socket.io-client';

export type Json = Record<string, unknown>;
export type Answer<T = Json> = { status: number; body: T; headers: Headers };

type CallOptions = { token?: string; body?: unknown; headers?: Record<string, string> };

/** How long a call is repeated that may be tried again, in milliseconds. */
const patienceMs = 10_000;
const mayPass: readonly unknown[] = ['UNAVAILABLE', 'DEADLINE_EXCEEDED', 'REQUEST_IN_PROGRESS'];
const codeOf = (body: unknown): unknown => (body as { code?: unknown } | null)?.code;

/**
 * One REST call, with a deadline of 10 s. The body of the answer is an empty object when there was none. Repeated while
 * the platform says that it may be tried again, as a client does, where that is harmless: reads, and what has a key.
 */
export async function call<T = Json>(
  gateway: string,
  method: string,
  path: string,
  options: CallOptions = {},
): Promise<Answer<T>> {
  const isHarmless = method === 'GET' || options.headers?.['idempotency-key'] !== undefined;
  for (const until = Date.now() + patienceMs; ;) {
    const answer = await callOnce<T>(gateway, method, path, options);
    if (!isHarmless || !mayPass.includes(codeOf(answer.body)) || Date.now() > until) return answer;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function callOnce<T>(gateway: string, method: string, path: string, options: CallOptions): Promise<Answer<T>> {
  const answer = await fetch(`${gateway}/api/v1${path}`, {
    method,
    redirect: 'manual',
    headers: {
      ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
      ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...options.headers,
    },
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    signal: AbortSignal.timeout(10_000),
  }).catch((error: unknown) => {
    // fetch says only that it failed; what happened to the connection is below.
    const { message, cause } = error instanceof Error ? error : new Error(String(error));
    const below = cause instanceof Error ? `${cause.name} ${cause.message}` : 'no cause';
    throw new Error(`${method} ${path}: ${message} (${below})`, { cause: error });
  });
  const text = await answer.text();
  return { status: answer.status, body: (text === '' ? {} : JSON.parse(text)) as T, headers: answer.headers };
}

export type SessionBody = {
  user: { id: string; username: string };
  accessToken: string;
  refreshToken: string;
  expiresIn: number;
  deviceId: string;
};

export type Person = { id: string; username: string; token: string; refreshToken: string; deviceId: string };

/** A new account with a session. */
export async function register(gateway: string): Promise<Person> {
  const username = `e${randomUUID().replaceAll('-', '').slice(0, 24)}`;
  const { status, body } = await call<SessionBody>(gateway, 'POST', '/auth/register', {
    body: { email: `${username}@example.com`, username, password: 'a long enough password' },
    headers: { 'idempotency-key': randomUUID() },
  });
  if (status !== 201) throw new Error(`registering answered ${status}: ${JSON.stringify(body)}`);
  const { user, accessToken, refreshToken, deviceId } = body;
  return { id: user.id, username, token: accessToken, refreshToken, deviceId };
}

/** Opens the direct conversation of two people. @returns its id. */
export async function openDirect(gateway: string, one: Person, other: Person): Promise<string> {
  const { status, body } = await call<{ id: string }>(gateway, 'POST', '/conversations', {
    token: one.token,
    body: { type: 'direct', userId: other.id },
    headers: { 'idempotency-key': randomUUID() },
  });
  if (status >= 300) throw new Error(`opening a conversation answered ${status}: ${JSON.stringify(body)}`);
  return body.id;
}

export type Heard = { name: string; payload: Json };

/** A socket that remembers everything it heard. */
export class Listener {
  readonly socket: Socket;
  readonly heard: Heard[] = [];
  readonly #waiting = new Set<() => void>();

  private constructor(gateway: string, person: Person) {
    this.socket = io(gateway, {
      auth: { token: person.token, deviceId: person.deviceId },
      transports: ['websocket'],
      forceNew: true,
      reconnection: false,
    });
    this.socket.onAny((name: string, payload: Json) => {
      this.heard.push({ name, payload });
      for (const check of this.#waiting) check();
    });
  }

  /** Resolves when the gateway accepted the connection; comes back for up to 10 s when it is told to. */
  static async connect(gateway: string, person: Person): Promise<Listener> {
    for (const until = Date.now() + 10_000; ;) {
      const listener = new Listener(gateway, person);
      try {
        await new Promise<void>((resolve, reject) => {
          listener.socket.once('connect', resolve);
          listener.socket.once('connect_error', reject);
        });
        return listener;
      } catch (refusal) {
        listener.close();
        const { data } = refusal as { data?: { retryAfterMs?: number } };
        if (data?.retryAfterMs === undefined || Date.now() + data.retryAfterMs > until) throw refusal;
        await new Promise((resolve) => setTimeout(resolve, data.retryAfterMs));
      }
    }
  }

  /** The acknowledgement of an event, within 5 s. */
  async ask<T = Json>(event: string, payload: unknown): Promise<T> {
    return (await this.socket.timeout(5_000).emitWithAck(event, payload)) as T;
  }

  /** The first event of a name whose payload fits, heard before or within `ms`. */
  async hears(name: string, fits: (payload: Json) => boolean = () => true, ms = 5_000): Promise<Json> {
    const find = () => this.heard.find((one) => one.name === name && fits(one.payload))?.payload;
    const found = find();
    if (found) return found;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(check);
        reject(new Error(`no ${name} within ${ms} ms; heard ${JSON.stringify(this.heard.map((one) => one.name))}`));
      }, ms);
      const check = (): void => {
        const now = find();
        if (!now) return;
        clearTimeout(timer);
        this.#waiting.delete(check);
        resolve(now);
      };
      this.#waiting.add(check);
    });
  }

  close(): void {
    this.socket.disconnect();
  }
}

/** Asks again until the answer fits, for up to `ms`. */
export async function eventually<T>(ask: () => Promise<T>, fits: (answer: T) => boolean, ms = 10_000): Promise<T> {
  const until = Date.now() + ms;
  for (;;) {
    const answer = await ask();
    if (fits(answer)) return answer;
    if (Date.now() > until) throw new Error(`did not come true within ${ms} ms: ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
