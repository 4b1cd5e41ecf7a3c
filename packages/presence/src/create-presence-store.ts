import type { Redis } from 'ioredis';
import { createTurns } from './in-turn.ts';
import { bootKey, claimsKey, connectionField, lastSeenField, leasesKey, parseField, userKey } from './presence-keys.ts';
import {
  claimScript,
  connectScript,
  forgetScript,
  giveUpScript,
  leasesScript,
  removeScript,
  renewScript,
  run,
  statusScript,
} from './presence-scripts.ts';
import type { PresenceConnection, PresenceStore, PresenceStoreOptions } from './presence-store.ts';
import { devicesOf, type Leases, presenceOf } from './presence-view.ts';

const defaultLeaseMs = 15_000;
/** How long others leave a boot to the process that cleans up after it. */
const claimMs = 10_000;
/** After this long the rest is left to the next sweep, so that nobody works under an ended claim. */
const cleanMs = 5_000;
/** Boots of one sweep, and users handled side by side. */
const sweepBoots = 16;
const chunkSize = 256;

/**
 * Presence in Redis, see `PresenceStore`. One process holds a boot and calls connect, disconnect and restore for it;
 * any process may ask and sweep.
 */
export function createPresenceStore(options: PresenceStoreOptions): PresenceStore {
  const { redis } = options;
  const leaseMs = options.leaseMs ?? defaultLeaseMs;
  const now = (): number | '' => options.now?.() ?? '';
  // A user's connects and disconnects of one boot change two keys; in turn, the set of users never misses one.
  const inTurn = createTurns();

  const readLeases = () => leasesOf(redis, now());
  const online = (fields: readonly string[], leases: Leases, except?: string): boolean =>
    fields.some((field) => {
      const { boot } = parseField(field);
      return boot !== except && leases.isLive(boot);
    });

  const add = async (boot: string, connection: PresenceConnection, status: string): Promise<string[]> => {
    const field = connectionField(boot, connection);
    const [, before] = await Promise.all([
      redis.sadd(bootKey(boot), connection.userId),
      run(redis, connectScript, [userKey(connection.userId)], [now(), field, status]),
    ]);
    return before as string[];
  };

  const remove = async (boot: string, connection: PresenceConnection): Promise<Removed> => {
    const field = connectionField(boot, connection);
    const gone = await removeFrom(redis, connection.userId, [now(), field, '0', '']);
    if (!gone.left.some((one) => parseField(one).boot === boot)) {
      await redis.srem(bootKey(boot), connection.userId);
    }
    return gone;
  };

  /** Removes what a boot holds, page by page. @returns users that went offline by it. */
  const clean = async (boot: string, lastSeen: number): Promise<string[]> => {
    const until = performance.now() + cleanMs;
    const touched = new Set<string>();
    let cursor = '0';
    do {
      const [next, users] = await redis.sscan(bootKey(boot), cursor, 'COUNT', chunkSize);
      for (const page of chunks(users)) {
        const removed = await Promise.all(
          page.map((userId) => removeFrom(redis, userId, [now(), `${boot}/`, '1', lastSeen])),
        );
        for (const { userId, count } of removed) if (count > 0) touched.add(userId);
        await redis.srem(bootKey(boot), ...page);
      }
      cursor = next;
    } while (cursor !== '0' && performance.now() < until);
    if (cursor === '0') await run(redis, forgetScript, [leasesKey, claimsKey], [now(), boot]);
    // Read again: a user may have connected elsewhere while the others were removed.
    const hashes = await readUsers(redis, [...touched]);
    const leases = await readLeases();
    return hashes.filter(([, fields]) => !online(Object.keys(fields), leases)).map(([userId]) => userId);
  };

  return {
    renew: async (boot) => (await run(redis, renewScript, [leasesKey, claimsKey], [now(), boot, leaseMs])) === 1,

    connect: (boot, connection) =>
      inTurn(`${boot}/${connection.userId}`, async () => {
        const before = await add(boot, connection, 'online');
        // Leases are read after the hash: who connected before us renewed before that, so none is missed.
        const leases = await readLeases();
        // No sweep finds what a forgotten boot left behind, and a boot that comes back restores it.
        const stale = before.filter((field) => isStale(field, leases) && parseField(field).boot !== boot);
        if (stale.length > 0) await redis.hdel(userKey(connection.userId), ...stale);
        return !online(before, leases);
      }),

    disconnect: (boot, connection) =>
      inTurn(`${boot}/${connection.userId}`, async () => {
        const { count, left } = await remove(boot, connection);
        return count > 0 && !online(left, await readLeases());
      }),

    setStatus: async (boot, connection, status) => {
      const { userId } = connection;
      await run(redis, statusScript, [userKey(userId)], [now(), connectionField(boot, connection), status]);
      const fields = await redis.hgetall(userKey(userId));
      return presenceOf(userId, fields, await readLeases(), leaseMs);
    },

    statusOf: async (userIds) => {
      const hashes = await readUsers(redis, userIds);
      const leases = await readLeases();
      return hashes.map(([userId, fields]) => presenceOf(userId, fields, leases, leaseMs));
    },

    liveDevices: async (userIds) => {
      const hashes = await readUsers(redis, userIds);
      const leases = await readLeases();
      return new Map(hashes.map(([userId, fields]) => [userId, devicesOf(fields, leases)]));
    },

    connectionsOf: async (userId) => {
      const fields = await redis.hkeys(userKey(userId));
      const leases = await readLeases();
      return fields.filter((field) => field !== lastSeenField && leases.isLive(parseField(field).boot)).length;
    },

    sweep: async () => {
      const claimed = (await run(redis, claimScript, [leasesKey, claimsKey], [now(), claimMs, sweepBoots])) as string[];
      const offline: string[] = [];
      for (let i = 0; i < claimed.length; i += 2) {
        const leaseEnd = Number(claimed[i + 1]);
        offline.push(...(await clean(claimed[i] ?? '', Math.max(0, leaseEnd - leaseMs))));
      }
      return [...new Set(offline)];
    },

    restore: async (boot, connections) => {
      const before: [string, string[]][] = [];
      for (const page of chunks(connections)) {
        const added = page.map(async (connection): Promise<[string, string[]]> => {
          const { userId, status } = connection;
          return [userId, await inTurn(`${boot}/${userId}`, () => add(boot, connection, status ?? 'online'))];
        });
        before.push(...(await Promise.all(added)));
      }
      const leases = await readLeases();
      if (!leases.isLive(boot)) return [];
      const alone = before.filter(([, fields]) => !online(fields, leases, boot)).map(([userId]) => userId);
      return [...new Set(alone)];
    },

    release: async (boot) => {
      const at = Number(await run(redis, giveUpScript, [leasesKey, claimsKey], [now(), claimMs, boot]));
      return clean(boot, at);
    },
  };
}

const isStale = (field: string, leases: Leases): boolean =>
  field !== lastSeenField && !leases.isKnown(parseField(field).boot);

type Removed = { userId: string; count: number; left: string[] };

async function removeFrom(redis: Redis, userId: string, args: (string | number)[]): Promise<Removed> {
  const [count, ...left] = (await run(redis, removeScript, [userKey(userId)], args)) as [number, ...string[]];
  return { userId, count, left };
}

async function leasesOf(redis: Redis, now: number | ''): Promise<Leases> {
  const [at, ...pairs] = (await run(redis, leasesScript, [leasesKey], [now])) as string[];
  const ends = new Map<string, number>();
  for (let i = 0; i < pairs.length; i += 2) ends.set(pairs[i] ?? '', Number(pairs[i + 1]));
  return {
    endOf: (boot) => ends.get(boot),
    isKnown: (boot) => ends.has(boot),
    isLive: (boot) => (ends.get(boot) ?? 0) > Number(at),
  };
}

async function readUsers(redis: Redis, userIds: readonly string[]): Promise<[string, Record<string, string>][]> {
  const read: [string, Record<string, string>][] = [];
  for (const page of chunks(userIds)) {
    const one = async (userId: string): Promise<[string, Record<string, string>]> => [
      userId,
      await redis.hgetall(userKey(userId)),
    ];
    read.push(...(await Promise.all(page.map(one))));
  }
  return read;
}

function* chunks<T>(items: readonly T[]): Generator<T[]> {
  for (let start = 0; start < items.length; start += chunkSize) yield items.slice(start, start + chunkSize);
}
