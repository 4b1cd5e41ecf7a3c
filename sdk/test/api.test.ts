import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createApi, type ErrorCode } from '@bluewave/sdk';
import { ManualClock } from './support/manual-clock.ts';

type Reply = { status: number; body?: unknown; text?: string } | 'hang' | 'cut';
type Heard = { method: string; url: string; headers: IncomingMessage['headers']; body: string };

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function serve(replies: Reply[]): Promise<{ url: string; heard: Heard[] }> {
  const heard: Heard[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = '', url = '', headers } = request;
    heard.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
    const reply = replies.shift() ?? 'cut';
    if (reply === 'hang') return;
    if (reply === 'cut') return void request.socket.destroy();
    response.writeHead(reply.status).end(reply.text ?? (reply.body === undefined ? '' : JSON.stringify(reply.body)));
  };
  const server = createServer((request, response) => void answer(request, response));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, heard };
}

const problem = (status: number, code: ErrorCode, more: object = {}): Reply => ({
  status,
  body: { type: '', title: '', status, code, detail: 'what to do', traceId: 'trace', ...more },
});

function tokensOf(...tokens: string[]) {
  const rejected: string[] = [];
  return {
    rejected,
    get: async () => tokens[rejected.length] ?? '',
    reject: (token: string) => void rejected.push(token),
  };
}

describe('REST', () => {
  it('given an operation with parameters, query and key, when it is called, then the request says all of it', async () => {
    const { url, heard } = await serve([{ status: 200, body: { items: [], nextCursor: null } }, { status: 204 }]);
    const api = createApi({ url: `${url}/`, tokens: tokensOf('t1') });
    await api('membersList', { params: { id: 'a/b' }, query: { limit: 7 } });
    await api('membersRemove', { params: { id: 'c', userId: 'u' } }, { idempotencyKey: 'key' });
    expect(heard).toMatchObject([
      { method: 'GET', url: '/api/v1/conversations/a%2Fb/members?limit=7', headers: { authorization: 'Bearer t1' } },
      { method: 'DELETE', url: '/api/v1/conversations/c/members/u', headers: { 'idempotency-key': 'key' }, body: '' },
    ]);
  });

  it('given a refusal, when it comes, then the error has all that the platform said', async () => {
    const fields = [{ path: 'text', code: 'too_big', message: 'is too long' }];
    const { url } = await serve([
      problem(400, 'VALIDATION_FAILED', { errors: fields }),
      problem(429, 'RATE_LIMITED', { retryAfterMs: 700, mutedUntil: '2026-01-31T12:00:00.000Z' }),
      problem(409, 'REQUEST_IN_PROGRESS'),
    ]);
    const call = () => createApi({ url, tokens: tokensOf('t1') })('usersMe');
    await expect(call()).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
      retryable: false,
      traceId: 'trace',
      fields,
    });
    await expect(call()).rejects.toMatchObject({
      ...{ code: 'RATE_LIMITED', retryable: true, retryAfterMs: 700, mutedUntil: '2026-01-31T12:00:00.000Z' },
      message: 'what to do',
    });
    await expect(call()).rejects.toMatchObject({ code: 'REQUEST_IN_PROGRESS', retryable: true });
  });

  it('given something in between that answers instead, when it does, then that is an error of its own', async () => {
    const { url } = await serve([
      { status: 502, text: '<html>Bad gateway</html>' },
      { status: 404, text: 'not here' },
    ]);
    const call = () => createApi({ url, tokens: tokensOf('t1') })('usersMe');
    await expect(call()).rejects.toMatchObject({ code: 'UNAVAILABLE', retryable: true });
    await expect(call()).rejects.toMatchObject({ code: 'UNAVAILABLE', retryable: false });
  });

  it('given a token that was refused, when there is another, then the call is repeated once with that', async () => {
    const { url, heard } = await serve([problem(401, 'TOKEN_EXPIRED'), problem(401, 'TOKEN_EXPIRED')]);
    const tokens = tokensOf('t1', 't2');
    await expect(createApi({ url, tokens })('usersMe')).rejects.toMatchObject({ code: 'TOKEN_EXPIRED' });
    expect(heard.map(({ headers }) => headers.authorization)).toEqual(['Bearer t1', 'Bearer t2']);
    await expect(createApi({ url })('usersMe')).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it('given a network that cuts, hangs or is called off, when it does, then the error says which', async () => {
    const { url, heard } = await serve(['cut', 'hang', 'hang']);
    const clock = new ManualClock();
    const api = createApi({ url, tokens: tokensOf('t1'), clock });
    await expect(api('usersMe')).rejects.toMatchObject({ code: 'OFFLINE', retryable: true });
    const late = api('usersMe');
    const heardOf = async (count: number): Promise<void> => {
      while (heard.length < count) await new Promise((resolve) => setTimeout(resolve, 2));
    };
    await heardOf(2);
    await Promise.all([expect(late).rejects.toMatchObject({ code: 'TIMEOUT', retryable: true }), clock.pass(10_000)]);
    const controller = new AbortController();
    const given = api('usersMe', {}, { signal: controller.signal });
    await heardOf(3);
    controller.abort();
    await expect(given).rejects.toMatchObject({ code: 'ABORTED', retryable: false });
    expect(clock.waiting).toEqual([]);
  });
});
