import { afterEach, describe, expect, it } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import type { Presence, PresenceStatus } from '@bluewave/presence/presence-store';
import { createLogger } from '@bluewave/runtime/logger';
import { PresenceAnnouncer } from '../../src/presence/presence-announcer.ts';

describe('PresenceAnnouncer', () => {
  let announcer: PresenceAnnouncer | undefined;
  afterEach(() => announcer?.close());

  const setUp = () => {
    const world = {
      status: 'online' as PresenceStatus,
      away: false,
      reaches: true,
      told: [] as { status: string; at: number }[],
    };
    const startedAt = Date.now();
    announcer = new PresenceAnnouncer({
      store: {
        statusOf: async (userIds): Promise<Presence[]> => {
          if (world.away) throw new Error('Redis is away');
          return userIds.map((userId) => ({ userId, status: world.status, lastSeenAt: null }));
        },
      },
      reachesOthers: () => world.reaches,
      broadcast: ({ status }) => void world.told.push({ status, at: Date.now() - startedAt }),
      log: createLogger('test', 'silent'),
    });
    return { world, announcer };
  };

  it('given somebody who comes, when it is told, then at once, and changes within a second as one', async () => {
    const { world, announcer } = setUp();

    announcer.changed('ada');
    await pause(300);
    world.status = 'away';
    announcer.changed('ada');
    world.status = 'online';
    announcer.changed('ada');
    world.status = 'away';
    announcer.changed('ada');
    await pause(1_200);

    expect(world.told.map(({ status }) => status)).toEqual(['online', 'away']);
    expect(world.told[0]?.at).toBeLessThan(300);
    expect((world.told[1]?.at ?? 0) - (world.told[0]?.at ?? 0)).toBeGreaterThanOrEqual(900);
  });

  it('given somebody who drops out and is back, when it is told, then nobody hears that they were gone', async () => {
    const { world, announcer } = setUp();

    world.status = 'offline';
    announcer.changed('ada', true);
    await pause(300);
    world.status = 'online';
    await pause(1_000);

    expect(world.told.map(({ status }) => status)).toEqual(['online']);
  });

  it('given presence that cannot be read, when it can be again, then it is told', async () => {
    const { world, announcer } = setUp();
    world.away = true;

    announcer.changed('ada');
    await pause(500);
    expect(world.told).toEqual([]);
    world.away = false;
    await pause(1_500);

    expect(world.told.map(({ status }) => status)).toEqual(['online']);
  });

  it('given presence that other gateways may not have heard, when they can be reached again, then it is told once more', async () => {
    const { world, announcer } = setUp();
    announcer.changed('bob');
    await pause(1_300);
    announcer.changed('ada');
    await pause(300);
    world.reaches = false;
    announcer.missed();
    world.status = 'away';
    await pause(1_200);
    expect(world.told.map(({ status }) => status)).toEqual(['online', 'online']);

    world.reaches = true;
    await pause(1_500);
    expect(world.told.map(({ status }) => status)).toEqual(['online', 'online', 'away']);
  });
});
