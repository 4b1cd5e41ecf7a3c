import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connectRedis } from '@bluewave/redis/connect';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { RoomLimiter } from '../../src/limits/room-limiter.ts';
import { type RoomState, takeFromRoom } from '../../src/limits/room-window.ts';
import { environmentOf, log } from './support/services.ts';

const limit = { max: 5, windowMs: 10_000, muteMs: 30_000 };

describe('the limit of a room, in one process', () => {
  /** Sends at these times; @returns what was answered to each. */
  const run = (sends: readonly { at: number; id: string }[]) => {
    let state: RoomState | undefined;
    return sends.map(({ at, id }) => {
      const taken = takeFromRoom(limit, state, id, at);
      state = taken.state;
      return taken.verdict;
    });
  };
  const at = (...times: number[]) => run(times.map((time, index) => ({ at: time, id: `${index}` })));

  it('given five in ten seconds, when a sixth comes, then a mute begins that lasts 30 s, whatever is sent', () => {
    const verdicts = at(0, 1, 2, 3, 4, 5, 6, 9_000, 30_004, 30_005);
    expect(verdicts.map(({ allowed }) => (allowed ? 'y' : 'n')).join('')).toBe('yyyyynnnny');
    expect(verdicts.map(({ remaining }) => remaining)).toEqual([4, 3, 2, 1, 0, 0, 0, 0, 0, 4]);
    expect(verdicts.slice(5, 9).map(({ mutedUntil }) => mutedUntil)).toEqual([30_005, 30_005, 30_005, 30_005]);
    expect(verdicts.map(({ isNewMute }) => isNewMute).indexOf(true)).toBe(5);
    expect(verdicts.filter(({ isNewMute }) => isNewMute)).toHaveLength(1);
  });

  it('given five that are ten seconds old, when another comes, then it is allowed', () => {
    expect(at(0, 0, 0, 0, 0, 10_000).map(({ allowed }) => allowed)).not.toContain(false);
    expect(at(0, 0, 0, 0, 0, 9_999).at(-1)).toMatchObject({ allowed: false, mutedUntil: 39_999 });
  });

  it('given a message that was taken, when it is repeated, then it is allowed and not counted, in a mute too', () => {
    const ids = ['a', 'a', 'a', 'b', 'c', 'd', 'e', 'f', 'a', 'g'];
    const verdicts = run(ids.map((id, index) => ({ at: index, id })));
    expect(verdicts.map(({ allowed }) => (allowed ? 'y' : 'n')).join('')).toBe('yyyyyyynyn');
    expect(verdicts.map(({ remaining }) => remaining)).toEqual([4, 4, 4, 3, 2, 1, 0, 0, 0, 0]);
  });

  it('given any sends, when taken, then no ten seconds hold more than five new ones, and none is in a mute', () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 6_000 }), { maxLength: 80 });
    fc.assert(
      fc.property(gaps, (all) => {
        let now = 0;
        const sends = all.map((gap, index) => ({ at: (now += gap), id: `${index}` }));
        const verdicts = run(sends);
        const allowed = sends.filter((_, index) => verdicts[index]?.allowed).map((send) => send.at);
        for (const start of allowed) {
          expect(allowed.filter((time) => time >= start && time < start + limit.windowMs).length).toBeLessThanOrEqual(
            5,
          );
        }
        verdicts.forEach(({ isNewMute, mutedUntil }, index) => {
          if (!isNewMute) return;
          const muted = sends.filter(({ at }, later) => later > index && at < mutedUntil && verdicts[later]?.allowed);
          expect(muted).toEqual([]);
        });
      }),
    );
  });
});

describe('the limit of a room, over gateways', () => {
  let redis: Redis;
  let other: Redis;
  let nowhere: Redis;
  beforeAll(() => {
    // Without the short deadlines of a gateway: on a busy machine they would have it count by itself.
    const url = environmentOf('TEST_REDIS_URL');
    [redis, other] = [new Redis(url), new Redis(url)];
    nowhere = connectRedis({ url: 'redis://127.0.0.1:1', name: 'room-limiter-test', log });
  });
  afterAll(() => [redis, other, nowhere].forEach((one) => one.disconnect()));

  const limiters = () =>
    [new RoomLimiter({ redis, log, limit }), new RoomLimiter({ redis: other, log, limit })] as const;
  const somebody = () => ({ userId: randomUUID(), conversationId: randomUUID() });

  it.each(['shared', 'local'])(
    'given %s counters, when six are sent, then the sixth is muted and repeats are not',
    async (how) => {
      const blind = new RoomLimiter({ redis: nowhere, log, limit });
      const [one, two] = how === 'local' ? [blind, blind] : limiters();
      const who = somebody();
      const started = Date.now();
      const left: number[] = [];
      for (let index = 0; index < 5; index += 1) {
        const { allowed, remaining } = await (index % 2 ? one : two).take({ ...who, id: `${index}` });
        expect(allowed).toBe(true);
        left.push(remaining);
      }
      expect(left).toEqual([4, 3, 2, 1, 0]);
      const sixth = await one.take({ ...who, id: '5' });
      expect(sixth).toMatchObject({ allowed: false, remaining: 0, isNewMute: true });
      expect(sixth.mutedUntil).toBeGreaterThanOrEqual(started + limit.muteMs - 1);
      expect(sixth.mutedUntil).toBeLessThanOrEqual(Date.now() + limit.muteMs + 1);
      expect(await two.take({ ...who, id: '6' })).toEqual({ ...sixth, isNewMute: false });
      expect(await two.take({ ...who, id: '0' })).toMatchObject({ allowed: true, remaining: 0 });
      const elsewhere = { ...who, conversationId: randomUUID(), id: '7' };
      expect(await one.take(elsewhere)).toMatchObject({ allowed: true, remaining: 4 });
      await one.giveBack(elsewhere);
      expect(await two.take({ ...elsewhere, id: '8' })).toMatchObject({ allowed: true, remaining: 4 });
    },
  );

  it('given many at once over two gateways, when taken, then five are allowed and one mute begins', async () => {
    const [one, two] = limiters();
    const who = somebody();
    const all = await Promise.all(
      Array.from({ length: 50 }, (_, index) => (index % 2 ? one : two).take({ ...who, id: `${index}` })),
    );
    expect(all.filter(({ allowed }) => allowed)).toHaveLength(5);
    expect(all.filter(({ isNewMute }) => isNewMute)).toHaveLength(1);
    expect(new Set(all.filter(({ allowed }) => !allowed).map(({ mutedUntil }) => mutedUntil)).size).toBe(1);
  });

  it('given a mute that is over, when something is sent, then it is allowed', async () => {
    const limiter = new RoomLimiter({ redis, log, limit: { max: 1, windowMs: 100, muteMs: 300 } });
    const who = somebody();
    await limiter.take({ ...who, id: 'a' });
    let muted = await limiter.take({ ...who, id: 'b' });
    for (let next = 0; muted.allowed; next += 1) muted = await limiter.take({ ...who, id: `${next}` });
    await new Promise((resolve) => setTimeout(resolve, 320));
    expect(await limiter.take({ ...who, id: 'c' })).toMatchObject({ allowed: true, remaining: 0 });
  });
});
