import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createPresenceStore } from '@bluewave/presence/create-presence-store';
import type { PresenceStatus, PresenceStore } from '@bluewave/presence/presence-store';
import { createLogger } from '@bluewave/runtime/logger';
import { redisForTest } from '../../../../packages/presence/test/redis-for-test.ts';
import { PresenceKeeper } from '../../src/presence/presence-keeper.ts';

let opened: Awaited<ReturnType<typeof redisForTest>>;
beforeAll(async () => {
  opened = await redisForTest();
});
afterAll(() => opened.close());

type Taken = 'before the answer is lost' | 'not at all';

/** A keeper and what is seen by whoever is told to look; the answer to its next call of one kind can be lost. */
function setUp() {
  const store = createPresenceStore({ redis: opened.redis });
  let lost: { call: keyof PresenceStore; taken: Taken } | undefined;
  const losing = <C extends 'connect' | 'disconnect' | 'setStatus'>(call: C): PresenceStore[C] =>
    (async (...parameters: Parameters<PresenceStore[C]>) => {
      const [losingNow, taken] = [lost?.call === call, lost?.taken];
      if (losingNow) lost = undefined;
      const work = store[call] as (...given: Parameters<PresenceStore[C]>) => Promise<unknown>;
      const result = losingNow && taken === 'not at all' ? undefined : await work(...parameters);
      if (losingNow) throw new Error('no answer in time');
      return result;
    }) as PresenceStore[C];
  const flaky = {
    ...store,
    connect: losing('connect'),
    disconnect: losing('disconnect'),
    setStatus: losing('setStatus'),
  };
  const userId = randomUUID();
  const seen: PresenceStatus[] = [];
  const look = async (): Promise<void> => {
    const [found] = await store.statusOf([userId]);
    if (found) seen.push(found.status);
  };
  const onChange = (): void => void look();
  const keeper = new PresenceKeeper({
    ...{ store: flaky, boot: randomUUID(), log: createLogger('test', 'silent'), onChange },
    renewMs: 60_000,
    sweepMs: 60_000,
  });
  return {
    ...{ keeper, seen, connection: { userId, deviceId: 'phone', socketId: 's' } },
    lose: (call: keyof PresenceStore, taken: Taken) => (lost = { call, taken }),
    async sees(status: PresenceStatus) {
      const end = Date.now() + 3_000;
      while (seen.at(-1) !== status && Date.now() < end) await pause(20);
      expect(seen.at(-1)).toBe(status);
    },
  };
}

describe.each<Taken>(['before the answer is lost', 'not at all'])('given what Redis takes %s', (taken) => {
  it('when somebody comes, is away and goes, then each is told without waiting for a renewal', async () => {
    const { keeper, seen, connection, lose, sees } = setUp();
    await keeper.renew();
    lose('connect', taken);
    keeper.connect(connection);
    await sees('online');
    lose('setStatus', taken);
    await keeper.setStatus(connection.socketId, 'away');
    await sees('away');
    lose('disconnect', taken);
    keeper.disconnect(connection.socketId);
    await sees('offline');
    expect(seen.filter((status, index) => status !== seen[index - 1])).toEqual(['online', 'away', 'offline']);
    await keeper.close();
  });
});
