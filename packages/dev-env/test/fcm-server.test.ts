import { Agent } from 'node:https';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { deleteApp, initializeApp, type App } from 'firebase-admin/app';
import { getMessaging, type Message, type Messaging } from 'firebase-admin/messaging';
import { startFcmServer, type FcmServer } from '../src/fcm/fcm-server.ts';

const AT = '2026-01-02T03:04:05.678Z';
let server: FcmServer;
let app: App;
let messaging: Messaging;

/** The real SDK, told by its public options to speak clear text to the stand-in. */
beforeEach(async () => {
  server = await startFcmServer({ port: 0, now: () => new Date(AT) });
  const port = Number(new URL(server.url).port);
  const httpAgent = new Agent();
  Object.assign(httpAgent, { createConnection: () => connect(port, '127.0.0.1') });
  const credential = { getAccessToken: () => Promise.resolve({ access_token: 'token', expires_in: 3_600 }) };
  app = initializeApp({ credential, projectId: 'bluewave-test', httpAgent }, `fcm-${port}`);
  messaging = getMessaging(app);
});

afterEach(async () => {
  await deleteApp(app);
  await server.close();
});

const inbox = async (token?: string): Promise<unknown> => {
  const response = await fetch(`${server.url}/inbox${token === undefined ? '' : `?token=${token}`}`);
  return response.json();
};

const order = async (body: unknown): Promise<number> => {
  const response = await fetch(`${server.url}/faults`, { method: 'POST', body: JSON.stringify(body) });
  return response.status;
};

const message = (token: string, text = 'hello'): Message => ({
  token,
  notification: { title: 'Alice', body: text },
  data: { conversationId: 'c', seq: '7' },
  android: { collapseKey: 'c', priority: 'high', ttl: 60_000, notification: { tag: 'c:7' } },
  apns: { headers: { 'apns-collapse-id': 'c' }, payload: { aps: { sound: 'default', badge: 2 } } },
});

/** The same message as it travels. */
const wire = (token: string, text = 'hello') => ({
  token,
  notification: { title: 'Alice', body: text },
  data: { conversationId: 'c', seq: '7' },
  android: { collapse_key: 'c', priority: 'high', ttl: '60s', notification: { tag: 'c:7' } },
  apns: { headers: { 'apns-collapse-id': 'c' }, payload: { aps: { sound: 'default', badge: 2 } } },
});

const post = (body: unknown, headers: Record<string, string> = { authorization: 'Bearer t' }): Promise<Response> =>
  fetch(`${server.url}/v1/projects/p/messages:send`, {
    method: 'POST',
    headers,
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'sent',
    (error: { code?: string }) => error.code,
  );

describe('the real firebase-admin', () => {
  it('given messages to two phones, when they are sent, then each inbox holds its own, newest last', async () => {
    const name = await messaging.send(message('phone-1', 'one'));
    await messaging.send(message('phone-2'));
    await messaging.send(message('phone-1', 'two'));
    expect(name).toMatch(/^projects\/bluewave-test\/messages\/.+/);
    expect(await inbox('phone-1')).toEqual({
      items: [
        { token: 'phone-1', at: AT, message: wire('phone-1', 'one') },
        { token: 'phone-1', at: AT, message: wire('phone-1', 'two') },
      ],
    });
    expect(await inbox('phone-3')).toEqual({ items: [] });
  });

  it('given a dry run, when it is sent, then it succeeds and no phone hears of it', async () => {
    await messaging.send(message('phone-1'), true);
    expect(await inbox()).toEqual({ items: [] });
  });

  it('given faults, when messages are sent, then the SDK reports the code of each, and nothing once they end', async () => {
    await order({ token: 'dead', error: 'UNREGISTERED' });
    await order({ token: 'busy', error: 'QUOTA_EXCEEDED' });
    await order({ token: 'broken', error: 'INTERNAL' });
    expect(await codeOf(messaging.send(message('dead')))).toBe('messaging/registration-token-not-registered');
    expect(await codeOf(messaging.send(message('busy')))).toBe('messaging/message-rate-exceeded');
    expect(await codeOf(messaging.send(message('broken')))).toBe('messaging/internal-error');
    expect(await codeOf(messaging.send(message('fine')))).toBe('sent');
    await order({ error: 'UNREGISTERED' });
    expect(await codeOf(messaging.send(message('fine')))).toBe('messaging/registration-token-not-registered');
    await order({ error: null });
    expect(await codeOf(messaging.send(message('dead')))).toBe('sent');
    expect(await inbox('dead')).toEqual({ items: [{ token: 'dead', at: AT, message: wire('dead') }] });
  });

  it('given a hanging phone, when a message is sent, then no answer comes until the server closes', async () => {
    await order({ token: 'slow', error: 'HANG' });
    const answer = post({ message: { token: 'slow' } }).then(
      () => 'answered',
      () => 'closed',
    );
    const first = await Promise.race([answer, new Promise((resolve) => setTimeout(resolve, 200, 'waiting'))]);
    expect(first).toBe('waiting');
    await server.close();
    expect(await answer).toBe('closed');
    server = await startFcmServer({ port: 0, now: () => new Date(AT) });
  });
});

describe('HTTP/2 on the same port', () => {
  it('given a clear-text session, when a message is posted, then the inbox holds it', async () => {
    const session = connectHttp2(server.url);
    const request = session.request({
      ':method': 'POST',
      ':path': '/v1/projects/p/messages:send',
      authorization: 'Bearer t',
    });
    request.end(JSON.stringify({ message: { token: 'h2' } }));
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += String(chunk);
    session.close();
    expect(JSON.parse(body)).toEqual({ name: expect.stringMatching(/^projects\/p\/messages\//) });
    expect(await inbox('h2')).toEqual({ items: [{ token: 'h2', at: AT, message: { token: 'h2' } }] });
  });
});

describe('what FCM refuses', () => {
  const token = 'phone-1';
  const cases: [string, unknown][] = [
    ['an unknown field', { message: { token, priority: 'high' } }],
    ['an unknown inner field', { message: { token, android: { colour: 'red' } } }],
    ['data that is no string', { message: { token, data: { seq: 7 } } }],
    ['a reserved data key', { message: { token, data: { 'google.x': '1' } } }],
    ['no recipient', { message: { data: { a: 'b' } } }],
    ['two recipients', { message: { token, topic: 'news' } }],
    ['an empty token', { message: { token: '' } }],
    ['a lifetime without unit', { message: { token, android: { ttl: '60' } } }],
    ['an unknown priority', { message: { token, android: { priority: 'urgent' } } }],
    ['over 4,096 bytes', { message: { token, data: { a: 'x'.repeat(4_096) } } }],
    ['no message', {}],
    ['no JSON', '{'],
  ];

  it.each(cases)(
    'given %s, when it is sent, then it is 400 INVALID_ARGUMENT and no phone hears of it',
    async (_, body) => {
      const response = await post(body);
      const { error } = (await response.json()) as { error: { status: string; details: unknown[] } };
      expect([response.status, error.status]).toEqual([400, 'INVALID_ARGUMENT']);
      expect(await inbox()).toEqual({ items: [] });
    },
  );

  it('given no access token, when a message is sent, then it is 401', async () => {
    expect((await post({ message: { token } }, {})).status).toBe(401);
  });

  it('given an order it does not know, when it is posted to /faults, then it is 400', async () => {
    expect(await order({ error: 'BOOM' })).toBe(400);
    expect(await order({ error: null, tokne: 'x' })).toBe(400);
    expect(await order({ token: 5, error: null })).toBe(400);
  });
});

describe('the phones page', () => {
  it('given deliveries, when the page asks for phones, then the last one sent to comes first with its newest on top', async () => {
    for (const [to, text] of [
      ['a', '1'],
      ['b', '1'],
      ['a', '2'],
    ] as const)
      await messaging.send(message(to, text));
    const { phones } = (await (await fetch(`${server.url}/phones`)).json()) as { phones: unknown[] };
    expect(phones).toEqual([
      {
        token: 'a',
        count: 2,
        items: [
          { token: 'a', at: AT, message: wire('a', '2') },
          { token: 'a', at: AT, message: wire('a', '1') },
        ],
      },
      { token: 'b', count: 1, items: [{ token: 'b', at: AT, message: wire('b', '1') }] },
    ]);
    const page = await fetch(`${server.url}/`);
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(await page.text()).toContain('<title>Bluewave phones</title>');
  });
});
