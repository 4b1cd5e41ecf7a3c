import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createFcmProvider, type FcmProvider } from '../src/fcm/fcm-provider.ts';
import type { PushMessage } from '../src/notifications/provider.ts';
import { accept, refuse, type ScriptedFcm, startScriptedFcm } from './support/scripted-fcm.ts';
import { pause } from './support/until.ts';

const message: PushMessage = {
  title: 'New Message from Alice',
  body: 'hello',
  collapseId: 'c:1',
  data: { conversationId: 'c', messageId: 'c:1', seq: '1' },
};
const never = { signal: new AbortController().signal, holds: () => true };

describe('FCM provider', () => {
  let fcm: ScriptedFcm;
  let provider: FcmProvider;
  /** Takes 700 ms for a send. */
  let hasty: FcmProvider;

  beforeAll(async () => {
    fcm = await startScriptedFcm();
    const options = { projectId: 'test', credentialsFile: undefined, endpoint: fcm.endpoint };
    provider = createFcmProvider({ ...options, now: Date.now });
    hasty = createFcmProvider({ ...options, sendMs: 700, now: Date.now });
  });
  beforeEach(() => {
    fcm.arrivals.length = 0;
  });
  afterAll(async () => {
    await provider.close();
    await hasty.close();
    await fcm.close();
  });

  it.each([
    ['accepts', undefined, { kind: 'accepted' }],
    ['does not know the token', [404, 'UNREGISTERED', {}], { kind: 'unregistered' }],
    ['does not know the project', [404, undefined, {}], { kind: 'failed', reason: 'HTTP 404' }],
    ['calls it malformed', [400, 'INVALID_ARGUMENT', {}], { kind: 'refused', reason: 'INVALID_ARGUMENT' }],
    [
      'knows the token of another sender',
      [403, 'SENDER_ID_MISMATCH', {}],
      { kind: 'refused', reason: 'SENDER_ID_MISMATCH' },
    ],
    ['refuses our credentials', [401, undefined, {}], { kind: 'failed', reason: 'HTTP 401' }],
    ['has had enough', [429, 'QUOTA_EXCEEDED', { 'retry-after': '7' }], { kind: 'quota', retryAfterMs: 7_000 }],
    ['has had enough and says no more', [429, 'QUOTA_EXCEEDED', {}], { kind: 'quota', retryAfterMs: undefined }],
    ['is overloaded', [503, 'UNAVAILABLE', { 'retry-after': '2' }], { kind: 'failed', reason: 'UNAVAILABLE' }],
    ['fails inside', [500, 'INTERNAL', {}], { kind: 'failed', reason: 'INTERNAL' }],
  ] as const)(
    'given a provider that %s, when a message is sent, then the outcome says so after one request',
    async (_what, answer, outcome) => {
      fcm.answer = (_arrival, response) =>
        answer ? refuse(response, answer[0], answer[1], answer[2]) : accept(response);
      expect(await provider.send('phone', message, never)).toEqual(outcome);
      await pause(50);
      expect(fcm.arrivals).toHaveLength(1);
    },
  );

  it('given an error that comes packed or is no JSON, when it is read, then it still means what it says', async () => {
    const type = 'type.googleapis.com/google.firebase.fcm.v1.FcmError';
    const body = JSON.stringify({ error: { details: [{ '@type': type, errorCode: 'UNREGISTERED' }] } });
    fcm.answer = (_arrival, response) =>
      void response.writeHead(404, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.from(body)));
    expect(await provider.send('phone', message, never)).toEqual({ kind: 'unregistered' });
    fcm.answer = (_arrival, response) => void response.writeHead(404).end('<html>not here</html>');
    expect(await provider.send('phone', message, never)).toEqual({ kind: 'failed', reason: 'HTTP 404' });
  });

  it('given a provider that never answers, when the time of a send is over, then it ends and nothing follows', async () => {
    fcm.answer = () => undefined;
    const started = performance.now();
    expect(await hasty.send('phone', message, never)).toEqual({ kind: 'failed', reason: 'no answer in time' });
    expect(performance.now() - started).toBeLessThan(1_500);
    fcm.answer = (_arrival, response) => accept(response);
    await pause(1_500);
    expect(fcm.arrivals).toHaveLength(1);
  });

  it('given a provider that fails at once, when the send is aborted meanwhile, then the SDK repeats nothing', async () => {
    const abort = new AbortController();
    fcm.answer = (_arrival, response) => {
      abort.abort(new Error('logged out'));
      response.destroy();
    };
    expect(await provider.send('phone', message, { ...never, signal: abort.signal })).toMatchObject({ kind: 'failed' });
    await pause(1_500);
    expect(fcm.arrivals).toHaveLength(1);
    expect(await provider.send('phone', message, { ...never, signal: abort.signal })).toEqual({
      kind: 'failed',
      reason: 'aborted',
    });
    expect(fcm.arrivals).toHaveLength(1);
  });

  it.each([
    ['already over', 0],
    ['over when the connection stands', 1],
  ])('given a permit that is %s, when a message is sent, then nothing leaves', async (_when, held) => {
    const options = { projectId: 'test', credentialsFile: undefined, endpoint: fcm.endpoint };
    const fresh = createFcmProvider({ ...options, now: Date.now });
    let asked = 0;
    const permit = { ...never, holds: () => (asked += 1) <= held };
    expect(await fresh.send('phone', message, permit)).toMatchObject({ kind: 'failed' });
    await pause(200);
    expect({ asked: asked > held, arrivals: fcm.arrivals }).toEqual({ asked: true, arrivals: [] });
    await fresh.close();
  });

  it('given a connection that broke, when a message is sent, then it failed and the next one goes through', async () => {
    fcm.answer = (_arrival, response) => void response.destroy();
    expect(await provider.send('phone', message, never)).toMatchObject({ kind: 'failed' });
    fcm.answer = (_arrival, response) => accept(response);
    expect(await provider.send('phone', message, never)).toEqual({ kind: 'accepted' });
    expect(fcm.arrivals).toHaveLength(2);
  });

  it('given what the SDK itself refuses, when it is sent, then it is refused and nothing leaves', async () => {
    expect(await provider.send('', message, never)).toEqual({ kind: 'refused', reason: 'messaging/invalid-payload' });
    expect(fcm.arrivals).toEqual([]);
  });

  it('given many sends at once, when all answers come, then each got its own', async () => {
    fcm.answer = async ({ token }, response) => {
      await pause(Math.random() * 50);
      if (Number(token) % 3 === 0) refuse(response, 404, 'UNREGISTERED');
      else accept(response);
    };
    const outcomes = await Promise.all(
      Array.from({ length: 90 }, (_, index) =>
        provider.send(String(index), message, { ...never, signal: new AbortController().signal }),
      ),
    );
    expect(outcomes.map(({ kind }) => kind)).toEqual(
      Array.from({ length: 90 }, (_, index) => (index % 3 === 0 ? 'unregistered' : 'accepted')),
    );
  });
});
