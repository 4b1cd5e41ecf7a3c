import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { AppError } from '@bluewave/errors/app-error';
import { ConfigError } from '@bluewave/runtime/config';
import { type ChatConfig, readConfig } from '../src/config.ts';
import { allOf, choicePolicies, type PolicyChoices } from '../src/policies/policies.ts';
import { signQuestion, webhookPolicies } from '../src/policies/webhook-policies.ts';
import { type RunningChat, startChat } from '../src/server.ts';
import { testConfig, testLog } from './support/environment.ts';
import { Replica } from './support/replica.ts';

const call = () => ({ traceId: 'a'.repeat(32), deadline: Date.now() + 5_000 });
const open: PolicyChoices = { direct: 'anyone', group: 'anyone', room: 'anyone' };
const refusalOf = async (attempt: Promise<unknown>): Promise<string> => {
  try {
    await attempt;
    return 'allowed';
  } catch (error) {
    if (error instanceof AppError) return `${error.code} ${error.detail}`;
    throw error;
  }
};
const notWanted = 'FORBIDDEN You may not do this with these people.';

describe('given the choices of a configuration', () => {
  /** Everybody whose name begins with a knows the actor. */
  const whoKnow = async (_other: string, userIds: readonly string[]) => userIds.filter((id) => id.startsWith('a'));
  const answers = async (choices: Partial<PolicyChoices>) => {
    const policies = choicePolicies({ ...open, ...choices }, whoKnow);
    const asked = await Promise.all([
      policies.mayMessage('me', 'ada', call()),
      policies.mayMessage('me', 'bob', call()),
      policies.mayCreate('me', 'group', ['ada', 'abe', 'me'], call()),
      policies.mayCreate('me', 'group', ['ada', 'bob'], call()),
      policies.mayCreate('me', 'group', [], call()),
      policies.mayAdd('me', 'id', ['ada'], call()),
      policies.mayAdd('me', 'id', ['bob'], call()),
      policies.mayCreate('me', 'room', [], call()),
      policies.mayJoin('me', 'id', call()),
    ]);
    return asked.map((allowed) => (allowed ? 'y' : 'n')).join('');
  };

  it.each([
    ['the defaults', {}, 'yyyyyyyyy'],
    ['direct: contacts', { direct: 'contacts' }, 'ynyyyyyyy'],
    ['group: contacts', { group: 'contacts' }, 'yyynyynyy'],
    ['group: nobody', { group: 'nobody' }, 'yynnnyyyy'],
    ['room: nobody', { room: 'nobody' }, 'yyyyyyyny'],
  ] as const)('when they are %s, then they allow what they say', async (_name, choices, expected) => {
    expect(await answers(choices)).toBe(expected);
  });

  it('when several rules are in force, then all must allow and the later are not asked in vain', async () => {
    const asked: string[] = [];
    const rule = (name: string, allowed: boolean) => {
      const answer = async (): Promise<boolean> => {
        asked.push(name);
        return allowed;
      };
      return { mayMessage: answer, mayCreate: answer, mayAdd: answer, mayJoin: answer };
    };
    const both = allOf(rule('one', true), rule('two', false), rule('three', true));
    expect(await both.mayMessage('me', 'ada', call())).toBe(false);
    expect(await both.mayCreate('me', 'room', [], call())).toBe(false);
    expect(await both.mayAdd('me', 'id', [], call())).toBe(false);
    expect(await both.mayJoin('me', 'id', call())).toBe(false);
    expect(asked).toEqual(['one', 'two', 'one', 'two', 'one', 'two', 'one', 'two']);
    expect(await allOf(rule('one', true), rule('three', true)).mayMessage('me', 'ada', call())).toBe(true);
  });
});

type Asked = { headers: Record<string, string | string[] | undefined>; body: string };
const secret = 'a secret of the tests';
const asked: Asked[] = [];
let answer: (respond: (status: number, body: string) => void) => void = (respond) => respond(200, '{"allow":true}');
const product = createServer((request, response) => {
  let body = '';
  request.on('data', (chunk: Buffer) => (body += chunk.toString()));
  request.on('end', () => {
    asked.push({ headers: request.headers, body });
    answer((status, text) => response.writeHead(status, { location: '/elsewhere' }).end(text));
  });
});
let url: string;
beforeAll(async () => {
  await new Promise<void>((resolve) => product.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(product.address() as AddressInfo).port}/rules`;
});
afterAll(() => {
  product.closeAllConnections();
  return new Promise((resolve) => product.close(resolve));
});
afterEach(() => {
  asked.length = 0;
  answer = (respond) => respond(200, '{"allow":true}');
});

describe('given a webhook with the rules of a product', () => {
  const policies = (change: { url?: string } = {}) =>
    webhookPolicies({ url, secret, clock: () => 1_700_000_000_500, log: testLog, ...change });
  const soon = () => ({ traceId: 'a'.repeat(32), deadline: 1_700_000_001_500 });

  it('when it is asked, then the question is signed, and its answer counts', async () => {
    const { mayMessage, mayCreate, mayAdd, mayJoin } = policies();
    expect(await mayMessage('me', 'ada', soon())).toBe(true);
    answer = (respond) => respond(200, '{"allow":false,"why":"too young"}');
    expect(await mayCreate('me', 'group', ['ada'], soon())).toBe(false);
    expect(await mayAdd('me', 'id', ['ada'], soon())).toBe(false);
    expect(await mayJoin('me', 'id', soon())).toBe(false);
    expect(asked.map(({ body }) => JSON.parse(body) as unknown)).toEqual([
      { action: 'message', actorId: 'me', userId: 'ada' },
      { action: 'create', actorId: 'me', type: 'group', userIds: ['ada'] },
      { action: 'add', actorId: 'me', conversationId: 'id', userIds: ['ada'] },
      { action: 'join', actorId: 'me', conversationId: 'id' },
    ]);
    for (const { headers, body } of asked) {
      expect(headers['bluewave-timestamp']).toBe('1700000000');
      expect(headers['bluewave-signature']).toBe(`v1=${signQuestion(secret, '1700000000', body)}`);
      expect(headers['x-trace-id']).toBe('a'.repeat(32));
    }
  });

  it.each([
    ['fails', 500, '{"allow":true}'],
    ['redirects', 302, ''],
    ['takes it without an answer', 204, ''],
    ['answers something else', 200, '{"allow":"yes"}'],
    ['answers no JSON', 200, 'yes'],
    ['answers without end', 200, `{"allow":true,"x":"${'x'.repeat(20_000)}"}`],
  ])('when it %s, then nothing is done, and it may be tried again', async (_name, status, text) => {
    answer = (respond) => respond(status, text);
    await expect(policies().mayMessage('me', 'ada', soon())).rejects.toMatchObject({
      ...{ code: 'UNAVAILABLE', retryable: true, retryAfterMs: expect.any(Number) },
    });
  });

  it('when it is silent or not there, then nothing is done once the time is over', async () => {
    answer = () => undefined;
    const started = Date.now();
    await expect(policies().mayMessage('me', 'ada', soon())).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(Date.now() - started).toBeGreaterThanOrEqual(950);
    const nowhere = policies({ url: 'http://127.0.0.1:1/rules' });
    await expect(nowhere.mayMessage('me', 'ada', soon())).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('when it is configured without a secret, then the service says what is missing', () => {
    const engines = { MONGODB_URL: 'mongodb://a', NATS_URL: 'nats://a' };
    expect(() => readConfig({ ...engines, POLICY_WEBHOOK_URL: url })).toThrow(ConfigError);
    const { policies: read } = readConfig({ ...engines, POLICY_WEBHOOK_URL: url, POLICY_WEBHOOK_SECRET: secret });
    expect(read).toEqual({ ...open, webhook: { url, secret } });
  });
});

describe('given a service with policies', () => {
  let running: RunningChat;
  let replica: Replica;
  let config: ChatConfig;
  beforeAll(async () => {
    const policies = { direct: 'contacts', group: 'contacts', room: 'nobody', webhook: { url, secret } } as const;
    config = testConfig({ policies });
    running = await startChat(config, testLog);
    replica = new Replica(running.grpcPort);
  });
  afterAll(async () => {
    replica.close();
    await running.close();
  });
  const create = (actorId: string, type: string, ...userIds: string[]) =>
    replica.call.CreateConversation({
      actorId,
      type,
      userIds,
      name: 'n',
      description: '',
      idempotencyKey: randomUUID(),
    });
  const know = (actorId: string, userId: string) => replica.call.PutContact({ actorId, userId, alias: '' });

  it('when a direct conversation is opened, then only with whom knows the actor, and the one there is stays open', async () => {
    const [a, b] = [randomUUID(), randomUUID()];
    expect(await refusalOf(create(a, 'direct', b))).toBe(notWanted);
    await know(a, b);
    expect(await refusalOf(create(a, 'direct', b))).toBe(notWanted);
    expect(asked).toEqual([]);
    await know(b, a);
    expect(await refusalOf(create(a, 'direct', b))).toBe('allowed');
    expect(asked).toHaveLength(1);
    await replica.insist.RemoveContact({ actorId: b, userId: a });
    expect(await refusalOf(create(a, 'direct', b))).toBe('allowed');
  });

  it('when groups and rooms are made and filled, then only as the policies say, in the same words', async () => {
    const [a, b, c] = [randomUUID(), randomUUID(), randomUUID()];
    await know(b, a);
    expect(await refusalOf(create(a, 'group', b, c))).toBe(notWanted);
    expect(await refusalOf(create(a, 'room'))).toBe(notWanted);
    const { conversation } = await create(a, 'group', b);
    const conversationId = conversation?.info?.id ?? '';
    const add = (actorId: string) => replica.call.AddMembers({ actorId, conversationId, userIds: [c] });
    expect(await refusalOf(add(a))).toBe(notWanted);
    expect(await refusalOf(add(randomUUID()))).toMatch(/^NOT_FOUND/);
    await know(c, a);
    answer = (respond) => respond(200, '{"allow":false}');
    expect(await refusalOf(add(a))).toBe(notWanted);
    answer = (respond) => respond(503, '');
    expect(await refusalOf(add(a))).toMatch(/^UNAVAILABLE/);
    answer = (respond) => respond(200, '{"allow":true}');
    expect(await refusalOf(add(a))).toBe('allowed');
  });
});
