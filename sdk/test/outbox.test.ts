import { describe, expect, it } from '@jest/globals';
import { BluewaveError, type Message, type OutboxItem } from '@bluewave/sdk';
import { Outbox } from '../src/outbox/outbox.ts';
import { ManualClock, settle } from './support/manual-clock.ts';
import { aMessage } from './support/objects.ts';

type Answer = Message | BluewaveError;

/** An outbox whose platform answers as it is told, and a keeper that is as slow as it is told. */
function createScene(answers: Answer[], items: OutboxItem[] = []) {
  const clock = new ManualClock();
  const did: string[] = [];
  let kept = Promise.resolve();
  const outbox = new Outbox({
    items,
    keeper: {
      keepOutbox: ({ id, problem }) => did.push(`keep ${problem ? 'failed' : id.length}`),
      dropOutbox: () => did.push('drop'),
      settled: () => kept,
    },
    environment: { clock, random: () => 0, fetch },
    perform: async (item) => {
      did.push(`perform ${item.kind}`);
      const answer = answers.shift();
      if (!answer) return new Promise<never>(() => undefined);
      if (answer instanceof BluewaveError) throw answer;
      return answer;
    },
    onMessage: ({ id }) => did.push(`message ${id}`),
    onChange: () => undefined,
  });
  const send = (text = 'hello') => outbox.add({ kind: 'send', conversationId: 'c1', body: { text } });
  const wait = (until: Promise<void>): void => void (kept = until);
  return { clock, did, outbox, send, wait };
}

const failure = (code: 'OFFLINE' | 'UNAVAILABLE' | 'FORBIDDEN', more: { retryAfterMs?: number } = {}) =>
  new BluewaveError(code, code, { retryable: code !== 'FORBIDDEN', traceId: 'trace', ...more });

describe('the outbox', () => {
  it('given a message, when it is added, then it is kept before it is sent, and is done when it is in the log', async () => {
    const { did, outbox, send, wait } = createScene([aMessage({ seq: 7 })]);
    let keep: () => void = () => undefined;
    wait(new Promise((resolve) => (keep = resolve)));
    outbox.connected();
    const { item, done } = send();
    await settle();
    expect([did, outbox.of('c1')]).toEqual([['keep 36'], [item]]);
    keep();
    expect(await done).toEqual(aMessage({ seq: 7 }));
    expect(did).toEqual(['keep 36', 'perform send', 'message c1:7', 'drop']);
    expect([outbox.of('c1'), outbox.messageIdOf(item.id)]).toEqual([[], 'c1:7']);
  });

  it('given a platform that cannot just now, when its time has passed, then the same message is sent again', async () => {
    const { did, clock, outbox, send } = createScene([failure('UNAVAILABLE', { retryAfterMs: 3_000 }), aMessage()]);
    outbox.connected();
    const { done } = send();
    await settle();
    expect(clock.waiting).toEqual([3_000]);
    await clock.pass(3_000);
    await done;
    expect(did.filter((one) => one.startsWith('perform'))).toHaveLength(2);
  });

  it('given a refusal for good, when it comes, then the message stays as failed until it is discarded', async () => {
    const { did, outbox, send } = createScene([failure('FORBIDDEN')]);
    outbox.connected();
    const { item, done } = send();
    await expect(done).rejects.toMatchObject({ code: 'FORBIDDEN', traceId: 'trace' });
    expect(outbox.of('c1')).toMatchObject([{ id: item.id, problem: { code: 'FORBIDDEN', traceId: 'trace' } }]);
    outbox.discard(item.id);
    expect([outbox.of('c1'), did.slice(-2)]).toEqual([[], ['keep failed', 'drop']]);
  });

  it('given an acknowledgement that is lost, when the log shows the message, then that is as good', async () => {
    const { outbox, send } = createScene([]);
    outbox.connected();
    const { item, done } = send();
    await settle();
    outbox.saw(aMessage({ seq: 3, clientMsgId: item.id }));
    expect(await done).toMatchObject({ seq: 3 });
  });

  it('given failed and waiting operations of before, when it starts, then only those that wait are carried out', async () => {
    const base = { conversationId: 'c1', createdAt: '2026-01-31T12:00:00.000Z', kind: 'send' as const, body: {} };
    const problem = {
      code: 'FORBIDDEN' as const,
      message: '',
      retryable: false,
      traceId: undefined,
      mutedUntil: undefined,
    };
    const items = [
      { ...base, id: 'm1', order: 4, problem },
      { ...base, id: 'm2', order: 5 },
    ];
    const { did, outbox, send } = createScene([aMessage({ clientMsgId: 'm2' })], items);
    outbox.connected();
    await settle();
    expect(did.slice(0, 3)).toEqual(['perform send', 'message c1:1', 'drop']);
    expect(send().item.order).toBe(6);
  });

  it('given a client that is closed, when it is used, then it says so, and what was asked before is not forgotten silently', async () => {
    const { outbox, send, clock } = createScene([failure('UNAVAILABLE')]);
    outbox.connected();
    const { done } = send();
    await settle();
    outbox.close();
    await expect(done).rejects.toMatchObject({ code: 'CLOSED', retryable: false });
    expect(() => send()).toThrow('This client is closed.');
    expect(clock.waiting).toEqual([]);
  });
});
