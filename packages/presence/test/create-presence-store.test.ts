import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { createPresenceStore } from '@bluewave/presence/create-presence-store';
import type { PresenceConnection, PresenceStore } from '@bluewave/presence/presence-store';
import { redisForTest } from './redis-for-test.ts';

const start = Date.UTC(2026, 0, 1);
const at = (ms: number) => new Date(start + ms).toISOString();
const connection = (userId: string, deviceId = 'phone', socketId = 's1'): PresenceConnection => ({
  userId,
  deviceId,
  socketId,
});

describe('presence store', () => {
  let redis: Redis;
  let wipe: () => Promise<void>;
  let close: () => Promise<void>;
  let time = start;
  let store: PresenceStore;

  beforeAll(async () => {
    ({ redis, wipe, close } = await redisForTest());
  });
  beforeEach(async () => {
    await wipe();
    time = start;
    store = createPresenceStore({ redis, now: () => time });
  });
  afterAll(() => close());

  it('given two gateways, when a user connects and leaves on both, then only the first and the last are transitions', async () => {
    expect(await store.renew('a')).toBe(false);
    expect(await store.renew('b')).toBe(false);
    expect(await store.connect('a', connection('u'))).toBe(true);
    expect(await store.connect('b', connection('u', 'web'))).toBe(false);
    expect(await store.liveDevices(['u', 'nobody'])).toEqual(
      new Map([
        ['u', new Set(['phone', 'web'])],
        ['nobody', new Set()],
      ]),
    );
    time += 1_000;
    expect(await store.disconnect('a', connection('u'))).toBe(false);
    expect(await store.disconnect('a', connection('u'))).toBe(false);
    expect(await store.disconnect('b', connection('u', 'web'))).toBe(true);
    expect(await store.statusOf(['nobody', 'u'])).toEqual([
      { userId: 'nobody', status: 'offline', lastSeenAt: null },
      { userId: 'u', status: 'offline', lastSeenAt: at(1_000) },
    ]);
  });

  it('given sockets on two gateways, when they are counted, then those of a dead gateway do not count', async () => {
    await store.renew('a');
    await store.connect('a', connection('u'));
    await store.connect('a', connection('u', 'phone', 's2'));
    time += 10_000;
    await store.renew('b');
    await store.connect('b', connection('u', 'web'));

    expect([await store.connectionsOf('u'), await store.connectionsOf('nobody')]).toEqual([3, 0]);
    time += 10_000;
    expect(await store.connectionsOf('u')).toBe(1);
  });

  it('given a device that is away and one that is not, when asked, then the user is what the best of them is', async () => {
    await store.renew('a');
    await store.connect('a', connection('u'));
    expect(await store.setStatus('a', connection('u'), 'away')).toEqual({
      userId: 'u',
      status: 'away',
      lastSeenAt: at(0),
    });
    await store.connect('a', connection('u', 'web'));
    expect(await store.statusOf(['u'])).toEqual([{ userId: 'u', status: 'online', lastSeenAt: at(0) }]);
    expect(await store.setStatus('a', connection('u', 'tablet'), 'away')).toMatchObject({ status: 'online' });
    expect(await store.liveDevices(['u'])).toEqual(new Map([['u', new Set(['phone', 'web'])]]));
  });

  it('given a gateway that was killed, when its lease ends, then its users are offline, and one sweep says so once', async () => {
    await store.renew('a');
    await store.renew('b');
    await store.connect('a', connection('gone'));
    await store.connect('a', connection('both'));
    await store.connect('b', connection('both', 'web'));
    time += 14_999;
    await store.renew('b');
    expect(await store.sweep()).toEqual([]);
    time += 1;
    expect(await store.statusOf(['gone', 'both'])).toEqual([
      { userId: 'gone', status: 'offline', lastSeenAt: at(0) },
      { userId: 'both', status: 'online', lastSeenAt: at(0) },
    ]);
    const swept = await Promise.all([store.sweep(), store.sweep()]);
    expect(swept.flat()).toEqual(['gone']);
    expect(await store.sweep()).toEqual([]);
    expect(await store.disconnect('b', connection('both', 'web'))).toBe(true);
  });

  it('given Redis lost everything, when the gateway renews, then it hears so, restores, and all is as before', async () => {
    await store.renew('a');
    await store.connect('a', connection('u'));
    await store.connect('a', connection('v'));
    await store.setStatus('a', connection('v'), 'away');
    await wipe();
    expect(await store.statusOf(['u'])).toEqual([{ userId: 'u', status: 'offline', lastSeenAt: null }]);
    expect(await store.renew('a')).toBe(false);
    const connections = [connection('u'), { ...connection('v'), status: 'away' as const }];
    expect(await store.restore('a', connections)).toEqual(['u', 'v']);
    expect(await store.renew('a')).toBe(true);
    expect(await store.statusOf(['u', 'v'])).toMatchObject([{ status: 'online' }, { status: 'away' }]);
    expect(await store.disconnect('a', connection('u'))).toBe(true);
  });

  it('given a sweep that is cleaning up, when the late gateway renews, then it has to come again until that ended', async () => {
    await store.renew('late');
    await store.connect('late', connection('u'));
    time += 20_000;
    await redis.zadd('bluewave:presence:{gateways}:claims', String(time + 10_000), 'late');
    expect(await store.renew('late')).toBe(false);
    expect(await store.statusOf(['u'])).toMatchObject([{ status: 'offline' }]);
    time += 10_000;
    expect(await store.renew('late')).toBe(false);
    expect(await store.restore('late', [connection('u')])).toEqual(['u']);
    expect(await store.statusOf(['u'])).toMatchObject([{ status: 'online' }]);
    expect(await store.sweep()).toEqual([]);
  });

  it('given a gateway that drains, when it releases, then nothing of it is left and others keep their users', async () => {
    await store.renew('a');
    await store.renew('b');
    for (let i = 0; i < 700; i++) await store.connect('a', connection(`u${i}`));
    await store.connect('b', connection('u7', 'web'));
    const offline = await store.release('a');
    expect(new Set(offline)).toEqual(new Set(Array.from({ length: 700 }, (_, i) => `u${i}`).filter((u) => u !== 'u7')));
    expect(await redis.exists('bluewave:presence:boot:a')).toBe(0);
    expect(await redis.zrange('bluewave:presence:{gateways}:leases', '0', '-1')).toEqual(['b']);
    expect(await redis.zcard('bluewave:presence:{gateways}:claims')).toBe(0);
    expect(await redis.hkeys('bluewave:presence:{u1}')).toEqual(['lastSeenAt']);
    expect(await redis.pttl('bluewave:presence:{u1}')).toBeGreaterThan(0);
  });

  it('given connects and disconnects of one user at once, when all are done, then clean-up still knows the user', async () => {
    await store.renew('a');
    const work: Promise<boolean>[] = [];
    for (let i = 0; i < 50; i++) {
      work.push(store.connect('a', connection('u', 'phone', `s${i}`)));
      if (i < 49) work.push(store.disconnect('a', connection('u', 'phone', `s${i}`)));
    }
    await Promise.all(work);
    expect(await redis.smembers('bluewave:presence:boot:a')).toEqual(['u']);
    expect(await store.release('a')).toEqual(['u']);
  });

  it('given leftovers of a boot that nobody knows, when the user connects again, then they are gone', async () => {
    await store.renew('a');
    await redis.hset('bluewave:presence:{u}', 'forgotten/phone/s1', 'online');
    expect(await store.connect('a', connection('u'))).toBe(true);
    expect(await redis.hkeys('bluewave:presence:{u}')).toEqual(expect.arrayContaining(['a/phone/s1', 'lastSeenAt']));
    expect(await redis.hlen('bluewave:presence:{u}')).toBe(2);
  });

  it('given no clock, when a lease is taken, then it is by the time of Redis', async () => {
    const real = createPresenceStore({ redis, leaseMs: 200 });
    await real.renew('a');
    await real.connect('a', connection('u'));
    expect(await real.statusOf(['u'])).toMatchObject([{ status: 'online' }]);
    await new Promise((resolve) => setTimeout(resolve, 250));
    expect(await real.statusOf(['u'])).toMatchObject([{ status: 'offline' }]);
    expect(await real.sweep()).toEqual(['u']);
  });
});
