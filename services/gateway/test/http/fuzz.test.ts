import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { isErrorCode } from '@bluewave/errors/error-table';
import type { Route } from '@bluewave/api/route';
import { routes } from '@bluewave/api/routes';
import fc from 'fast-check';
import type { Person, Reply } from './support/caller.ts';
import { type GatewayUnderTest, startGatewayUnderTest } from './support/gateway.ts';
import { hostileText, hostileValue, type Ids, pathValue, shapedLike } from './support/hostile.ts';
import { type Services, startServices } from './support/services.ts';

const runs = Number(process.env['FUZZ_RUNS'] ?? 25);

describe('every operation under hostile input', () => {
  let services: Services;
  let gateway: GatewayUnderTest;
  let alice: Person;
  let known: Ids;
  /** Operations that took something of what was sent: the input is not only hostile. */
  const reached = new Set<string>();

  beforeAll(async () => {
    services = await startServices();
    gateway = await startGatewayUnderTest(services.addresses);
    const person = await gateway.register('fuzz');
    alice = person;
    const group = { type: 'group', name: 'Fuzz', memberIds: [] };
    const made = await gateway.call<{ id: string }>('POST', '/conversations', {
      token: person.accessToken,
      body: group,
    });
    const sent = await gateway.call<{ message: { id: string } }>('POST', `/conversations/${made.body.id}/messages`, {
      token: person.accessToken,
      body: { clientMsgId: randomUUID(), text: 'target' },
    });
    known = {
      conversationId: made.body.id,
      messageId: sent.body.message.id,
      userId: person.id,
      deviceId: person.deviceId,
    };
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
      reached.add(`${route.method} ${route.path}`);
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

  const parametersOf = (route: Route): string[] => Object.keys(route.params?.shape ?? {});
  const pathOf = (route: Route, values: string[]): string => {
    let next = 0;
    return route.path.replaceAll(/:\w+/g, () => encodeURIComponent(values[next++] ?? 'x'));
  };
  const queryOf = (pairs: [string, string][]): string =>
    pairs.length === 0
      ? ''
      : `?${pairs.map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(value)}`).join('&')}`;

  // These end the session that the other calls need.
  const ending = new Set(['auth.logout', 'auth.logoutAll', 'devices.delete']);
  // These take away what the others look at: last.
  const last = ['messages.delete', 'members.remove', 'conversations.leave'];
  const table = (Object.entries(routes) as [string, Route][])
    .filter(([id]) => !ending.has(id))
    .sort(([a], [b]) => last.indexOf(a) - last.indexOf(b));

  it.each(table)(
    'given %s, when anything is sent to it, then it answers sanely',
    async (_id, route) => {
      const keys = Object.keys(route.query?.shape ?? {});
      const input = fc.record({
        params: fc.tuple(...parametersOf(route).map((name) => pathValue(route.path, name, () => known))),
        query: fc.array(fc.tuple(fc.constantFrom(...keys, 'q[$ne]', '__proto__', 'limit'), hostileText), {
          maxLength: 3,
        }),
        body: route.body ? shapedLike(route.body, () => known) : fc.option(hostileValue, { freq: 3 }),
        token: fc.oneof({ weight: 8, arbitrary: fc.constant('good') }, { weight: 1, arbitrary: hostileText }),
        key: fc.option(fc.oneof(fc.uuid(), fc.string()), { freq: 8 }),
      });
      await fc.assert(
        fc.asyncProperty(input, async ({ params, query, body, token, key }) => {
          const printable = /^[\x20-\x7e]*$/;
          const bearer = token === 'good' ? alice.accessToken : token;
          const reply = await gateway.call(route.method, `${pathOf(route, params)}${queryOf(query)}`, {
            headers: {
              ...(printable.test(bearer) ? { authorization: `Bearer ${bearer}` } : {}),
              ...(key !== null && printable.test(key) ? { 'idempotency-key': key } : {}),
            },
            ...(route.method === 'GET' || body === null ? {} : { body }),
          });
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
        const reply = await gateway.call(route.method, pathOf(route, [known.conversationId, known.conversationId]), {
          token: alice.accessToken,
          body: body || '{',
        });
        expect(reply.status).toBeGreaterThanOrEqual(400);
        expectSane(route, { body: body.slice(0, 50) }, reply);
      }),
      { numRuns: runs * 4 },
    );
  }, 60_000);

  it('given all of that, when counted, then most operations took some of it', () => {
    expect(reached.size).toBeGreaterThan(table.length / 2);
  });

  it('given all of that, when it is over, then the platform is whole and nothing was polluted', async () => {
    const me = await gateway.call('GET', '/users/me', { token: alice.accessToken });
    expect(me).toMatchObject({ status: 200, body: { id: alice.id } });
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    const health = await gateway.call<{ parts: object }>('GET', '/health');
    expect(new Set(Object.values(health.body.parts))).toEqual(new Set(['up']));
  });
});
