import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { userUpdated } from '@bluewave/events/codec';
import { EventBus } from '@bluewave/events/event-bus';
import { subjects } from '@bluewave/events/subjects';
import { Directory } from '../../src/present/directory.ts';
import { eventually } from './support/caller.ts';
import { environmentOf, log } from './support/services.ts';

const context = () => ({ traceId: 'a'.repeat(32), deadline: Date.now() + 3_000 });

describe('the directory of people', () => {
  let bus: EventBus;
  let directory: Directory;
  const names = new Map<string, string>();
  const asked: string[][] = [];
  const world = { away: false, now: Date.now() };

  const auth = {
    GetUsers: ({ ids }: { ids: string[] }) => {
      asked.push(ids);
      if (world.away) return Promise.reject(new Error('away'));
      const known = ids.filter((id) => names.has(id));
      return Promise.resolve({
        users: known.map((id) => ({
          id,
          username: `u_${id}`,
          displayName: names.get(id) ?? '',
          avatarUrl: '',
          bio: 'b',
          createdAtMs: 1,
        })),
      });
    },
  };

  beforeEach(async () => {
    bus = new EventBus({ url: environmentOf('TEST_NATS_URL'), name: 'test', log });
    await bus.connection();
    directory = new Directory({ auth, bus, log, now: () => world.now });
    await (await bus.connection()).flush();
    Object.assign(world, { away: false, now: Date.now() });
    names.clear();
    asked.length = 0;
  });

  afterEach(async () => {
    directory.close();
    await bus.close();
  });

  const person = (name: string): string => {
    const id = randomUUID();
    names.set(id, name);
    return id;
  };
  const summary = (id: string, displayName: string) => ({ id, username: `u_${id}`, displayName, avatarUrl: null });

  it('given many requests at once, when they look people up, then auth is asked once, and later not at all', async () => {
    const [ada, bob] = [person('Ada'), person('Bob')];
    const [one, two] = await Promise.all([
      directory.lookup([ada, bob, ada], context()),
      directory.lookup([bob], context()),
    ]);
    expect([...one]).toEqual([
      [ada, summary(ada, 'Ada')],
      [bob, summary(bob, 'Bob')],
    ]);
    expect([...two]).toEqual([[bob, summary(bob, 'Bob')]]);
    await directory.lookup([ada], context());
    expect(asked).toEqual([[ada, bob]]);
    expect([...directory.peek([ada, randomUUID()])]).toEqual([[ada, summary(ada, 'Ada')]]);
  });

  it('given more people than auth answers at once, when looked up, then all are found', async () => {
    const ids = Array.from({ length: 1_100 }, (_, index) => person(`P${index}`));
    const found = await directory.lookup(ids, context());
    expect(found.size).toBe(1_100);
    expect(asked.map((batch) => batch.length)).toEqual([500, 500, 100]);
  });

  it('given an account that is gone, when looked up, then it has a stand-in', async () => {
    const id = randomUUID();
    expect([...(await directory.lookup([id], context())).values()]).toEqual([
      { id, username: 'deleted', displayName: 'Deleted user', avatarUrl: null },
    ]);
    expect((await directory.profiles([id], context())).size).toBe(0);
  });

  it('given auth away, when people are looked up, then what is held is served and others are nameless', async () => {
    const [ada, bob] = [person('Ada'), person('Bob')];
    await directory.lookup([ada], context());
    world.away = true;
    world.now += 600_000;
    const found = await directory.lookup([ada, bob], context());
    expect([...found.values()]).toEqual([
      summary(ada, 'Ada'),
      { id: bob, username: '', displayName: '', avatarUrl: null },
    ]);
    await expect(directory.profiles([bob], context())).rejects.toThrow('away');
  });

  it('given a profile that changed, when announced, then the next look asks again', async () => {
    const ada = person('Ada');
    await directory.lookup([ada], context());
    names.set(ada, 'Countess');
    bus.publish(subjects.userUpdated, userUpdated.encode({ userId: ada }));
    const renamed = await eventually(async () => {
      const found = (await directory.lookup([ada], context())).get(ada);
      return found?.displayName === 'Countess' ? found : undefined;
    });
    expect(renamed).toEqual(summary(ada, 'Countess'));
  });

  it('given a caller’s token, when it primes the directory, then nobody is asked, and it overrides nothing', async () => {
    const ada = person('Ada');
    const identity = {
      userId: ada,
      sessionId: 's',
      deviceId: 'd',
      username: 'u',
      displayName: 'Token',
      avatarUrl: null,
      expiresAt: 1,
    };
    directory.prime(identity);
    expect((await directory.lookup([ada], context())).get(ada)?.displayName).toBe('Token');
    expect(asked).toEqual([]);
    expect((await directory.profiles([ada], context())).get(ada)?.bio).toBe('b');
    directory.prime(identity);
    expect(directory.peek([ada]).get(ada)?.displayName).toBe('Ada');
  });
});
