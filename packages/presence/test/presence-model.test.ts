import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Redis } from 'ioredis';
import { createPresenceStore } from '@bluewave/presence/create-presence-store';
import type { PresenceConnection, PresenceStore } from '@bluewave/presence/presence-store';
import { redisForTest } from './redis-for-test.ts';

const leaseMs = 15_000;
const boots = ['g1', 'g2', 'g3'];
const users = ['ann', 'ben', 'cyd'];
const devices = ['phone', 'web'];

type Held = { connection: PresenceConnection; away: boolean };
type Gateway = { leaseEnd: number; sockets: Map<string, Held> };

/** What a gateway holds for real, and what Redis should know of it. */
type World = {
  time: number;
  gateways: Map<string, Gateway>;
  stored: Map<string, Gateway>;
};

type Step =
  | { do: 'renew' | 'release'; boot: string }
  | { do: 'connect' | 'disconnect' | 'away'; boot: string; user: string; device: string; socket: number }
  | { do: 'sweep' | 'wipe' }
  | { do: 'wait'; ms: number };

const of = (...items: string[]) => fc.constantFrom(...items);
const socketStep = (kind: 'connect' | 'disconnect' | 'away') =>
  fc.record({
    do: fc.constant(kind),
    boot: of(...boots),
    user: of(...users),
    device: of(...devices),
    socket: fc.integer({ min: 0, max: 1 }),
  });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('renew' as const), boot: of(...boots) }) },
  { weight: 8, arbitrary: socketStep('connect') },
  { weight: 6, arbitrary: socketStep('disconnect') },
  { weight: 2, arbitrary: socketStep('away') },
  { weight: 2, arbitrary: fc.constant({ do: 'sweep' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'wipe' as const }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('release' as const), boot: of(...boots) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 20_000 }) }) },
);

const isLive = (world: World, boot: string): boolean => (world.stored.get(boot)?.leaseEnd ?? 0) > world.time;

/** Live connections of a user, as Redis should see them. */
function liveOf(world: World, user: string): Held[] {
  return [...world.stored]
    .filter(([boot]) => isLive(world, boot))
    .flatMap(([, gateway]) => [...gateway.sockets.values()].filter((held) => held.connection.userId === user));
}

function entry(map: Map<string, Gateway>, boot: string): Gateway {
  const found = map.get(boot) ?? { leaseEnd: 0, sockets: new Map() };
  map.set(boot, found);
  return found;
}

async function renew(world: World, store: PresenceStore, boot: string): Promise<void> {
  const held = isLive(world, boot);
  const before = new Map(users.map((user) => [user, liveOf(world, user).length > 0]));
  const stored = entry(world.stored, boot);
  stored.leaseEnd = world.time + leaseMs;
  expect(await store.renew(boot)).toBe(held);
  if (held) return;
  // A gateway that lost its lease brings back all it holds.
  const sockets = entry(world.gateways, boot).sockets;
  const list = [...sockets.values()].map(({ connection, away }) =>
    away ? { ...connection, status: 'away' as const } : connection,
  );
  const back = await store.restore(boot, list);
  stored.sockets = new Map([...sockets].map(([key, held]) => [key, { ...held }]));
  const expected = users.filter((user) => list.some((one) => one.userId === user) && !before.get(user));
  expect(new Set(back)).toEqual(new Set(expected));
}

async function socketChange(
  world: World,
  store: PresenceStore,
  change: Extract<Step, { socket: number }>,
): Promise<void> {
  const { boot, user, device } = change;
  const connection = { userId: user, deviceId: device, socketId: `s${change.socket}` };
  const key = `${user}/${device}/${change.socket}`;
  const [real, stored] = [entry(world.gateways, boot), entry(world.stored, boot)];
  const online = liveOf(world, user).length > 0;
  if (change.do === 'connect') {
    real.sockets.set(key, { connection, away: false });
    stored.sockets.set(key, { connection, away: false });
    expect(await store.connect(boot, connection)).toBe(!online);
  } else if (change.do === 'disconnect') {
    const there = stored.sockets.delete(key);
    real.sockets.delete(key);
    expect(await store.disconnect(boot, connection)).toBe(there && liveOf(world, user).length === 0);
  } else {
    for (const gateway of [real, stored]) {
      const held = gateway.sockets.get(key);
      if (held) held.away = true;
    }
    expect(await store.setStatus(boot, connection, 'away')).toMatchObject({ status: statusOf(world, user) });
  }
}

function statusOf(world: World, user: string): string {
  const live = liveOf(world, user);
  if (live.length === 0) return 'offline';
  return live.some((held) => !held.away) ? 'online' : 'away';
}

/** Ends boots in the model. @returns the users that go offline by it. */
function end(world: World, ended: string[]): Set<string> {
  const touched = ended.flatMap((boot) => [...entry(world.stored, boot).sockets.values()]);
  for (const boot of ended) world.stored.delete(boot);
  return new Set(touched.map((held) => held.connection.userId).filter((user) => liveOf(world, user).length === 0));
}

async function take(world: World, store: PresenceStore, wipe: () => Promise<void>, next: Step): Promise<void> {
  switch (next.do) {
    case 'wait':
      world.time += next.ms;
      return;
    case 'wipe':
      world.stored.clear();
      return wipe();
    case 'renew':
      return renew(world, store, next.boot);
    case 'release': {
      const expected = end(world, [next.boot]);
      world.gateways.delete(next.boot);
      expect(new Set(await store.release(next.boot))).toEqual(expected);
      return;
    }
    case 'sweep': {
      const dead = [...world.stored.keys()].filter((boot) => !isLive(world, boot));
      expect(new Set(await store.sweep())).toEqual(end(world, dead));
      return;
    }
    default:
      // A gateway takes a lease before its first connection.
      if (!world.stored.has(next.boot) || entry(world.stored, next.boot).leaseEnd === 0) {
        await renew(world, store, next.boot);
      }
      return socketChange(world, store, next);
  }
}

async function check(world: World, store: PresenceStore): Promise<void> {
  const seen = await store.statusOf(users);
  expect(seen.map(({ status }) => status)).toEqual(users.map((user) => statusOf(world, user)));
  const expected = users.map((user): [string, Set<string>] => [
    user,
    new Set(liveOf(world, user).map((held) => held.connection.deviceId)),
  ]);
  expect(await store.liveDevices(users)).toEqual(new Map(expected));
}

describe('presence store against a model', () => {
  let redis: Redis;
  let wipe: () => Promise<void>;
  let close: () => Promise<void>;

  beforeAll(async () => {
    ({ redis, wipe, close } = await redisForTest());
  });
  afterAll(() => close());

  it('given any history of gateways, when asked, then a user is online iff a live connection has a live lease', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 60 }), async (steps) => {
        await wipe();
        const world: World = { time: 1_000_000_000_000, gateways: new Map(), stored: new Map() };
        const store = createPresenceStore({ redis, leaseMs, now: () => world.time });
        for (const next of steps) {
          await take(world, store, wipe, next);
          await check(world, store);
        }
      }),
      { numRuns: 120 },
    );
  }, 120_000);
});
