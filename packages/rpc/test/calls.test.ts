import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { AppError } from '@bluewave/errors/app-error';
import type { PushServiceDefinition } from '@bluewave/protos/generated/bluewave/push/v1/PushService';
import { createLogger } from '@bluewave/runtime/logger';
import { currentTraceId } from '@bluewave/runtime/trace';
import { createClient, type RpcClient } from '../src/client.ts';
import { type RpcServer, startRpcServer } from '../src/server.ts';
import { type Handlers, loadService } from '../src/service-definition.ts';

const definition = loadService<PushServiceDefinition>('push', 'PushService');
const open: (() => Promise<void> | void)[] = [];

const handlers: Handlers<PushServiceDefinition> = {
  PutToken: () => Promise.resolve({}),
  DeleteTokens: () => Promise.resolve({}),
  ListTokens: () => Promise.resolve({ tokens: [] }),
  SendTest: () => Promise.resolve({ accepted: 1 }),
};

async function serve(changed: Partial<typeof handlers>): Promise<RpcClient<PushServiceDefinition>> {
  const server: RpcServer = await startRpcServer({
    host: '127.0.0.1',
    port: 0,
    tls: undefined,
    allowedCallers: [],
    log: createLogger('test', 'silent'),
    services: [{ definition, unary: { ...handlers, ...changed } }],
  });
  const client = createClient<PushServiceDefinition>(definition, `127.0.0.1:${server.port}`, 'push', undefined);
  open.push(() => server.close(), client.close);
  return client;
}

const context = (ms = 2_000) => ({ traceId: 'trace-1', deadline: Date.now() + ms });
const refusal = (call: Promise<unknown>): Promise<AppError> =>
  call.then(
    () => {
      throw new Error('was not refused');
    },
    (error: unknown) => error as AppError,
  );

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

describe('a call between services', () => {
  it('given a handler, when it is called, then it gets the request, the trace id and less than the deadline', async () => {
    let seen: unknown;
    const client = await serve({
      ListTokens: (request, { traceId, deadline }) => {
        seen = { request, traceId, below: currentTraceId(), left: deadline - Date.now() };
        return Promise.resolve({ tokens: [{ deviceId: 'd', provider: 'fcm' }] });
      },
    });
    expect(await client.call.ListTokens({ actorId: 'me' }, context(900))).toEqual({
      tokens: [{ deviceId: 'd', provider: 'fcm' }],
    });
    expect(seen).toEqual({
      ...{ request: { actorId: 'me' }, traceId: 'trace-1', below: 'trace-1', left: expect.any(Number) },
    });
    expect((seen as { left: number }).left).toBeLessThanOrEqual(900);
  });

  it('given a refusal, when it reaches the caller, then reason, fields and waiting time are those of the handler', async () => {
    const client = await serve({
      SendTest: () =>
        Promise.reject(
          new AppError('RATE_LIMITED', 'Später.', {
            retryAfterMs: 700,
            fields: [{ path: 'a.b', code: 'custom', message: 'no' }],
          }),
        ),
    });
    const { code, detail, retryAfterMs, fields } = await refusal(client.call.SendTest({ actorId: 'me' }, context()));
    expect({ code, detail, retryAfterMs, fields }).toEqual({
      code: 'RATE_LIMITED',
      detail: 'Später.',
      retryAfterMs: 700,
      fields: [{ path: 'a.b', code: 'custom', message: 'no' }],
    });
  });

  it('given a handler that breaks, then the caller gets INTERNAL and nothing of the cause', async () => {
    const client = await serve({ SendTest: () => Promise.reject(new TypeError('secret internals')) });
    const error = await refusal(client.call.SendTest({ actorId: 'me' }, context()));
    expect(error.code).toBe('INTERNAL');
    expect(error.detail).not.toContain('secret');
  });

  it('given a handler that hangs, then the caller gets DEADLINE_EXCEEDED in its time', async () => {
    const client = await serve({ SendTest: () => new Promise(() => undefined) });
    const started = Date.now();
    expect((await refusal(client.call.SendTest({ actorId: 'me' }, context(300)))).code).toBe('DEADLINE_EXCEEDED');
    expect(Date.now() - started).toBeLessThan(1_500);
  });

  it('given nobody at the address, then the caller gets UNAVAILABLE and when to come back', async () => {
    const client = createClient<PushServiceDefinition>(definition, '127.0.0.1:1', 'push', undefined);
    open.push(client.close);
    const error = await refusal(client.call.SendTest({ actorId: 'me' }, context()));
    expect({ code: error.code, retryable: error.retryable }).toEqual({ code: 'UNAVAILABLE', retryable: true });
  });

  it('given a service that stays away, when it was looked for many times, then it still is as soon as after the first', async () => {
    const lookedAt: number[] = [];
    const away = createServer((socket) => {
      lookedAt.push(performance.now());
      socket.destroy();
    });
    away.listen(0, '127.0.0.1');
    await once(away, 'listening');
    open.push(() => new Promise<void>((resolve) => away.close(() => resolve())));
    const { port } = away.address() as AddressInfo;
    const client = createClient<PushServiceDefinition>(definition, `127.0.0.1:${port}`, 'push', undefined);
    open.push(client.close);
    await refusal(client.call.SendTest({ actorId: 'me' }, context()));
    while (lookedAt.length < 12) await once(away, 'connection');
    // A busy machine makes a wait longer, never shorter: the shortest of the last ones is the one that was meant.
    const waits = lookedAt.slice(1).map((at, index) => at - (lookedAt[index] ?? 0));
    expect(Math.min(...waits.slice(-5))).toBeLessThan(400);
  }, 30_000);
});
