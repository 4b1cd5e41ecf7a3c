import { describe, expect, it } from '@jest/globals';
import { BluewaveError } from '@bluewave/sdk';
import { Mutes } from '../src/live/mutes.ts';
import { Presences } from '../src/live/presence.ts';
import { Typing } from '../src/live/typing.ts';
import type { HeldConversation } from '../src/store/store.ts';
import { PointerSender } from '../src/views/pointer-sender.ts';
import { Pointers } from '../src/views/pointers.ts';
import { ManualClock, settle } from './support/manual-clock.ts';
import { aConversation } from './support/objects.ts';

/** A connection that notes what it is asked, and answers as it is told. */
function recorder(answer: (event: string) => object = () => ({})) {
  const asked: string[] = [];
  const connection = {
    ask: async (event: string, payload: unknown) => {
      asked.push(`${event} ${JSON.stringify(payload)}`);
      return { ok: true, ...answer(event) } as never;
    },
  };
  return { asked, connection };
}

describe('typing', () => {
  it('given somebody who types, when keys come and end, then it is told every 3 s at most and stops by itself', async () => {
    const clock = new ManualClock();
    const { asked, connection } = recorder();
    const typing = new Typing({ connection, clock });
    for (let key = 0; key < 10; key += 1) {
      typing.start('c1');
      await clock.pass(500);
    }
    expect(asked).toEqual(Array.from({ length: 2 }, () => 'typing:start {"conversationId":"c1"}'));
    await clock.pass(4_000);
    expect(asked.slice(2)).toEqual(['typing:stop {"conversationId":"c1"}']);
    typing.stop('c1');
    await clock.pass(60_000);
    expect([asked.length, clock.waiting]).toEqual([3, []]);
  });

  it('given others who type, when they stop, fall silent or the connection ends, then they are no longer shown', async () => {
    const clock = new ManualClock();
    const typing = new Typing({ connection: recorder().connection, clock });
    const shown: (readonly string[])[] = [];
    typing.in('c1').subscribe((users) => shown.push(users));
    typing.take({ conversationId: 'c1', userId: 'u1', on: true });
    typing.take({ conversationId: 'c1', userId: 'u1', on: true });
    typing.take({ conversationId: 'c1', userId: 'u2', on: true });
    typing.take({ conversationId: 'c1', userId: 'u1', on: false });
    await clock.pass(6_000);
    typing.take({ conversationId: 'c1', userId: 'u3', on: true });
    typing.disconnected();
    expect(shown).toEqual([['u1'], ['u1', 'u2'], ['u2'], [], ['u3'], []]);
    expect(clock.waiting).toEqual([]);
  });

  it('given no connection, when somebody types, then nothing fails', async () => {
    const clock = new ManualClock();
    const ask = async (): Promise<never> => {
      throw new BluewaveError('OFFLINE', 'offline', { retryable: true });
    };
    const typing = new Typing({ connection: { ask }, clock });
    typing.start('c1');
    await clock.pass(10_000);
    expect(clock.waiting).toEqual([]);
  });
});

describe('presence', () => {
  const online = (userId: string) => ({ userId, status: 'online' as const, lastSeenAt: null });

  it('given places that watch people, when they come and go, then all of them together are asked for', async () => {
    const { asked, connection } = recorder((event) => (event === 'presence:watch' ? { users: [online('u1')] } : {}));
    const presences = new Presences({ connection });
    const one = presences.watch(['u1', 'u2']);
    presences.connected();
    await settle();
    const other = presences.watch(['u2', 'u3']);
    await settle();
    one.close();
    await settle();
    expect(asked).toEqual([
      'presence:watch {"userIds":["u1","u2"]}',
      'presence:watch {"userIds":["u1","u2","u3"]}',
      'presence:watch {"userIds":["u2","u3"]}',
    ]);
    presences.take({ ...online('u3'), status: 'away' });
    expect([...other.get().values()].map(({ userId, status }) => `${userId} ${status}`)).toEqual([
      'u1 online',
      'u3 away',
    ]);
  });

  it('given a connection that ends, when there is a new one, then nothing old is shown and the same is asked for again', async () => {
    const { asked, connection } = recorder((event) => (event === 'presence:watch' ? { users: [online('u1')] } : {}));
    const presences = new Presences({ connection });
    presences.connected();
    const watch = presences.watch(['u1']);
    await presences.setStatus('away');
    await settle();
    expect(watch.get().size).toBe(1);
    presences.disconnected();
    expect(watch.get().size).toBe(0);
    presences.connected();
    await settle();
    expect(watch.get().size).toBe(1);
    expect(asked.slice(2).sort()).toEqual(['presence:set {"status":"away"}', 'presence:watch {"userIds":["u1"]}']);
  });
});

describe('mutes', () => {
  it('given a mute, when it is told again and its time is over, then it shows until the last time, and no longer', async () => {
    const clock = new ManualClock();
    const mutes = new Mutes({ clock });
    const shown: (string | undefined)[] = [];
    mutes.in('c1').subscribe((until) => shown.push(until));
    const inMs = (ms: number): string => new Date(clock.now() + ms).toISOString();
    const [first, second] = [inMs(30_000), inMs(31_000)];
    mutes.take({ conversationId: 'c1', until: first });
    mutes.take({ conversationId: 'c1', until: second });
    mutes.take({ conversationId: 'c1', until: inMs(-1) });
    await clock.pass(30_500);
    expect([mutes.in('c1').get(), mutes.in('c2').get()]).toEqual([second, undefined]);
    await clock.pass(500);
    expect(shown).toEqual([first, second, undefined]);
    mutes.take({ conversationId: 'c1', until: inMs(5_000) });
    mutes.close();
    expect(clock.waiting).toEqual([]);
  });
});

describe('read and delivered pointers', () => {
  function createSender(fail: () => boolean = () => false) {
    const clock = new ManualClock();
    const held = new Map<string, HeldConversation>();
    const asked: string[] = [];
    const sender = new PointerSender({
      connection: {
        ask: async (event, payload) => {
          asked.push(`${event} ${(payload as { seq: number }).seq}`);
          if (fail()) throw new BluewaveError('UNAVAILABLE', 'later', { retryable: true });
          return { ok: true, seq: 0 } as never;
        },
      },
      clock,
      get: (id) => held.get(id),
      all: () => [...held.values()],
    });
    const want = (readSeq: number, deliveredSeq: number): void => {
      held.set('c1', { id: 'c1', have: 9, conversation: aConversation(), wanted: { readSeq, deliveredSeq } });
      sender.moved('c1');
    };
    return { clock, asked, sender, want };
  }

  it('given many moves in a moment, when they are told, then only the last of each', async () => {
    const { clock, asked, sender, want } = createSender();
    sender.synced();
    for (let seq = 1; seq <= 9; seq += 1) want(0, seq);
    await clock.pass(250);
    want(5, 9);
    want(6, 9);
    await clock.pass(250);
    expect(asked).toEqual(['message:delivered 9', 'message:read 6']);
  });

  it('given moves without connection, when there is one, then what the platform does not know is told', async () => {
    const { clock, asked, sender, want } = createSender();
    want(4, 6);
    await clock.pass(1_000);
    expect(asked).toEqual([]);
    sender.know('c1', { readSeq: 4, deliveredSeq: 5 });
    sender.synced();
    await clock.pass(250);
    sender.disconnected();
    sender.synced();
    await clock.pass(250);
    expect(asked).toEqual(['message:delivered 6']);
  });

  it('given a platform that cannot just now, when some time has passed, then it is told again', async () => {
    let failures = 1;
    const { clock, asked, sender, want } = createSender(() => failures-- > 0);
    sender.synced();
    want(3, 3);
    await clock.pass(250);
    await clock.pass(2_000);
    await clock.pass(10_000);
    expect(asked).toEqual(['message:read 3', 'message:read 3']);
  });

  it('given receipts of others, when all were heard of, then the least of them counts', () => {
    const pointers = new Pointers();
    const receipt = (userId: string, deliveredSeq: number, readSeq: number) =>
      pointers.take({ conversationId: 'c1', userId, deliveredSeq, readSeq, at: '2026-01-31T12:00:00.000Z' });
    receipt('u1', 5, 3);
    expect(pointers.least('c1', 3)).toEqual({ deliveredSeq: 0, readSeq: 0 });
    receipt('u2', 9, 2);
    receipt('u1', 4, 4);
    expect(pointers.least('c1', 3)).toEqual({ deliveredSeq: 5, readSeq: 2 });
    pointers.forget('c1');
    expect(pointers.isComplete('c1', 3)).toBe(false);
  });
});
