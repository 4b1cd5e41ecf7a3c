import { randomUUID } from 'node:crypto';
import type { Session } from '@bluewave/api/objects';

export type Reply<T = unknown> = { status: number; headers: Headers; body: T };
export type CallOptions = { token?: string; headers?: Record<string, string>; body?: unknown };

export type Person = Session & { id: string; password: string; email: string };

/** Speaks REST with a gateway. */
export type Caller = {
  url: string;
  /** `call('GET', '/users/me')` below /api/v1. */
  call<T = Record<string, unknown>>(method: string, path: string, options?: CallOptions): Promise<Reply<T>>;
  register(name?: string): Promise<Person>;
};

export function createCaller(url: string): Caller {
  const call: Caller['call'] = async <T>(method: string, path: string, options: CallOptions = {}) => {
    const { token, headers = {}, body } = options;
    const response = await fetch(path.startsWith('http') ? path : `${url}/api/v1${path}`, {
      method,
      redirect: 'manual',
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    return { status: response.status, headers: response.headers, body: (isJson ? JSON.parse(text) : text) as T };
  };
  return {
    url,
    call,
    async register(name = 'user') {
      let account = { email: '', username: '', password: 'correct horse battery' };
      // A registration that was not answered in time may have been made: the next is for another name.
      const { status, body } = await insistently(() => {
        const username = `${name}_${randomUUID().slice(0, 8)}`;
        account = { ...account, email: `${username}@example.com`, username };
        const device = { name: 'test', platform: 'web' };
        return call<Session>('POST', '/auth/register', {
          body: { ...account, displayName: `${name} of test`, device },
        });
      });
      if (status !== 201) throw new Error(`register answered ${status}: ${JSON.stringify(body)}`);
      return { ...body, id: body.user.id, password: account.password, email: account.email };
    },
  };
}

/** Repeats a call that was refused as "not in time" or "away", as clients do: a busy machine is no finding, a lasting refusal is. */
export async function insistently<T>(call: () => Promise<Reply<T>>): Promise<Reply<T>> {
  for (let left = 4; ; left--) {
    const reply = await call();
    if (left === 0 || (reply.status !== 503 && reply.status !== 504)) return reply;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

/** Polls until `look` answers something. */
export async function eventually<T>(look: () => Promise<T | undefined>, withinMs = 10_000): Promise<T> {
  const end = Date.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > end) throw new Error(`not seen within ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
