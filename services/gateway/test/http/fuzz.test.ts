import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { isErrorCode } from '@bluewave/errors/error-table';
import type { Route } from '@bluewave/api/route';
import { type RouteId, routes } from '@bluewave/api/routes';
import fc from 'fast-check';
import { insistently, type Reply } from './support/caller.ts';
import { type GatewayUnderTest, startGatewayUnderTest } from './support/gateway.ts';
import { hostileText, hostileValue, pathValue, shapedLike, spoilt } from './support/hostile.ts';
import { makeScene, type Scene } from './support/scene.ts';
import { type Services, startServices } from './support/services.ts';
import { type ValidCall, validCall } from './support/valid-calls.ts';

type Sent = Pick<ValidCall, 'params' | 'query' | 'body'>;

const runs = Number(process.env['FUZZ_RUNS'] ?? 25);

describe('every operation under hostile input', () => {
  let services: Services;
  let gateway: GatewayUnderTest;
  let scene: Scene;

  beforeAll(async () => {
    services = await startServices();
    gateway = await startGatewayUnderTest(services.addresses);
    scene = await makeScene(gateway);
  }, 60_000);

  afterAll(async () => {
    await gateway?.close();
    await services?.close();
  }, 30_000);

  /** An answer is one of the operation's own, or a problem with a code of the table; never a 5xx. */
  const expectSane = (route: Route, sent: unknown, reply: Reply): void => {
    const problem = reply.body as { code?: unknown; status?: unknown; traceId?: unknown };
    const where = `${route.method} ${route.path} ${JSON.stringify(sent).slice(0, 500)} -> ${JSON.stringify(reply.body).slice(0, 500)}`;
    if (reply.status >= 500) throw new Error(`${reply.status}: ${where}`);
    if (reply.status < 400) {
      const answer = route.answers[reply.status];
      if (answer === undefined) throw new Error(`undocumented ${reply.status}: ${where}`);
      if (answer) expect(answer.safeParse(reply.body)).toMatchObject({ success: true });
      return;
    }
    const isProblem =
      reply.headers.get('content-type')?.startsWith('application/problem+json') === true &&
      isErrorCode(problem.code) &&
      problem.status === reply.status &&
      problem.traceId === reply.headers.get('x-trace-id');
    if (!isProblem) throw new Error(`no problem: ${where}`);
  };

  const queryOf = (pairs: [string, string][]): string =>
    pairs.length === 0
      ? ''
      : `?${pairs.map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(value)}`).join('&')}`;
  const send = (route: Route, { params, query, body }: Sent, headers: Record<string, string>): Promise<Reply> => {
    let next = 0;
    const path = route.path.replaceAll(/:\w+/g, () => encodeURIComponent(params[next++] ?? 'x'));
    const hasBody = route.method !== 'GET' && body !== undefined && body !== null;
    const once = () =>
      gateway.call(route.method, `${path}${queryOf(query)}`, { headers, ...(hasBody ? { body } : {}) });
    return insistently(once);
  };
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

  // These take away what the others look at: last.
  const last: RouteId[] = [
    ...(['messages.delete', 'media.delete', 'bans.put', 'members.update', 'members.remove'] as const),
    ...(['conversations.transfer', 'conversations.delete', 'conversations.leave'] as const),
  ];
  const table = (Object.entries(routes) as [RouteId, Route][]).sort(([a], [b]) => last.indexOf(a) - last.indexOf(b));
  // These end the session that they are called in: each call has one of its own.
  const ending = new Set<RouteId>(['auth.logout', 'auth.logoutAll', 'devices.delete']);

  it.each(table)('given %s, when what it is made for is sent to it, then it takes it', async (id, route) => {
    const valid = await validCall(id, route, scene);
    const reply = await send(route, valid, bearer(valid.as.accessToken));
    expectSane(route, valid, reply);
    expect(reply.status < 400 ? 'taken' : reply.body).toBe('taken');
  });

  it.each(table)(
    'given %s, when anything is sent to it, then it answers sanely',
    async (id, route) => {
      const keys = Object.keys(route.query?.shape ?? {});
      const names = Object.keys(route.params?.shape ?? {});
      const { body: valid } = await validCall(id, route, scene);
      const guest = await scene.register();
      const input = fc.record({
        params: fc.tuple(...names.map((name) => pathValue(route.path, name, () => scene.ids))),
        query: fc.array(fc.tuple(fc.constantFrom(...keys, 'q[$ne]', '__proto__', 'limit'), hostileText), {
          maxLength: 3,
        }),
        body: route.body
          ? fc.oneof(
              shapedLike(route.body, () => scene.ids),
              spoilt(valid),
            )
          : fc.option(hostileValue, { freq: 3 }),
        token: fc.oneof({ weight: 8, arbitrary: fc.constant('good') }, { weight: 1, arbitrary: hostileText }),
        key: fc.option(fc.oneof(fc.uuid(), fc.string()), { freq: 8 }),
      });
      await fc.assert(
        fc.asyncProperty(input, async ({ params, query, body, token, key }) => {
          const printable = /^[\x20-\x7e]*$/;
          const { accessToken, deviceId } = ending.has(id) ? await scene.login(guest) : scene.alice;
          const good = token === 'good' ? accessToken : token;
          const own = params.map((value) => (value === scene.ids.deviceId ? deviceId : value));
          const reply = await send(
            route,
            { params: own, query, body },
            {
              ...(printable.test(good) ? bearer(good) : {}),
              ...(key !== null && printable.test(key) ? { 'idempotency-key': key } : {}),
            },
          );
          expectSane(route, { params, query, body }, reply);
        }),
        { numRuns: runs },
      );
    },
    60_000,
  );

  it('given raw bytes as a body, when sent anywhere, then they are refused', async () => {
    const bytes = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constant('{"cursors":'.repeat(500)),
      fc.constant('['.repeat(60_000)),
      fc.constant(`{"a":${'[{"b":'.repeat(9_000)}1`),
      fc.constant('{"cursors":{},"cursors":{}}x'),
      fc.constant('"\\ud800"'),
    );
    const withBody = table.filter(([, route]) => route.body);
    await fc.assert(
      fc.asyncProperty(bytes, fc.constantFrom(...withBody), async (body, [, route]) => {
        const params = [scene.ids.conversationId, scene.ids.conversationId];
        const sent = { params, query: [], body: body || '{' };
        const reply = await send(route, sent, bearer(scene.alice.accessToken));
        expect(reply.status).toBeGreaterThanOrEqual(400);
        expectSane(route, { body: body.slice(0, 50) }, reply);
      }),
      { numRuns: runs * 4 },
    );
  }, 60_000);

  it('given all of that, when it is over, then the platform is whole and nothing was polluted', async () => {
    const me = await gateway.call('GET', '/users/me', { token: scene.alice.accessToken });
    expect(me).toMatchObject({ status: 200, body: { id: scene.alice.id } });
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    const health = await gateway.call<{ parts: object }>('GET', '/health');
    expect(new Set(Object.values(health.body.parts))).toEqual(new Set(['up']));
  });
});
