import { randomUUID } from 'node:crypto';
import { TcpProxy } from '@bluewave/dev-env/net/tcp-proxy';
import { userEvent, userUpdated } from '@bluewave/events/codec';
import { EventBus } from '@bluewave/events/event-bus';
import { subjects } from '@bluewave/events/subjects';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createUserEvents } from '../src/events/user-events.ts';
import {
  type AuthFixture,
  context,
  engine,
  freshIp,
  freshName,
  password,
  refusal,
  registration,
  silent,
  someDevice,
  startFixture,
} from './support/auth-fixture.ts';

let fixture: AuthFixture;
let bus: EventBus;
beforeAll(async () => {
  fixture = await startFixture();
  bus = new EventBus({ url: engine('TEST_NATS_URL'), name: 'auth-test', log: silent });
  await bus.connection();
});
afterAll(async () => {
  await bus.close();
  await fixture.close();
});

async function newAccount() {
  const name = freshName();
  const device = someDevice();
  const session = await fixture.call.Register({ ...registration(name), device }, context());
  return { name, device, session, userId: session.user?.user?.id ?? '' };
}

const login = (identifier: string, device = someDevice()) =>
  fixture.call.Login({ identifier, password, device, ip: freshIp() }, context());
const refresh = (refreshToken: string) => fixture.call.Refresh({ refreshToken, ip: '' }, context());
const live = async (userId: string, ...deviceIds: string[]) => {
  const devices = deviceIds.map((deviceId) => ({ userId, deviceId }));
  return (await fixture.call.CheckSessions({ devices }, context())).live.map(({ deviceId }) => deviceId);
};

/** The sessions announced as revoked for a user, from now on. */
async function hearRevoked(userId: string) {
  const heard: string[] = [];
  const subscription = bus.subscribe(subjects.user(userId), ({ data }) => {
    heard.push(...(userEvent.decode(data).sessionsRevoked?.sessionIds ?? []));
  });
  await (await bus.connection()).flush();
  return {
    close: () => subscription.close(),
    until: async (count: number) => {
      const end = Date.now() + 3_000;
      while (heard.length < count && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 10));
      return heard;
    },
  };
}

describe('Logout', () => {
  it('given a session, when it logs out, then it is dead, announced, and its device answered; a repeat answers alike', async () => {
    const { userId, session, device } = await newAccount();
    const heard = await hearRevoked(userId);
    const request = { actorId: userId, sessionId: session.sessionId };
    expect(await fixture.call.Logout(request, context())).toEqual({ deviceIds: [device.id] });
    expect(await heard.until(1)).toEqual([session.sessionId]);
    expect(await refusal(refresh(session.refreshToken))).toEqual({ code: 'SESSION_REVOKED' });
    expect(await live(userId, device.id)).toEqual([]);
    expect(await fixture.call.ListDevices({ actorId: userId }, context())).toEqual({ devices: [] });
    expect(await fixture.call.Logout(request, context())).toEqual({ deviceIds: [device.id] });
    expect(await heard.until(1)).toEqual([session.sessionId]);
    heard.close();
  });

  it('given a session of somebody else, when it is named, then nothing happens', async () => {
    const [mine, theirs] = [await newAccount(), await newAccount()];
    const request = { actorId: mine.userId, sessionId: theirs.session.sessionId };
    expect(await fixture.call.Logout(request, context())).toEqual({ deviceIds: [] });
    expect(await live(theirs.userId, theirs.device.id)).toEqual([theirs.device.id]);
  });

  it('given three devices, when all are logged out, then all are dead and another login works', async () => {
    const { name, userId, session } = await newAccount();
    const others = [await login(name), await login(name)];
    const all = [session, ...others];
    const heard = await hearRevoked(userId);
    const { deviceIds } = await fixture.call.LogoutAll({ actorId: userId }, context());
    expect(deviceIds.sort()).toEqual(all.map(({ deviceId }) => deviceId).sort());
    expect((await heard.until(3)).sort()).toEqual(all.map(({ sessionId }) => sessionId).sort());
    heard.close();
    for (const one of all) expect(await refusal(refresh(one.refreshToken))).toEqual({ code: 'SESSION_REVOKED' });
    expect(await fixture.call.LogoutAll({ actorId: userId }, context())).toEqual({ deviceIds: [] });
    const next = await login(name);
    expect(await live(userId, next.deviceId)).toEqual([next.deviceId]);
  });
});

describe('devices', () => {
  it('given a device that is logged in, when it logs in again, then the earlier session ends and is announced', async () => {
    const { name, userId, session, device } = await newAccount();
    const heard = await hearRevoked(userId);
    const again = await login(name, { ...device, name: 'Renamed' });
    expect(again.deviceId).toBe(device.id);
    expect(again.sessionId).not.toBe(session.sessionId);
    expect(await heard.until(1)).toEqual([session.sessionId]);
    heard.close();
    expect(await refusal(refresh(session.refreshToken))).toEqual({ code: 'SESSION_REVOKED' });
    await refresh(again.refreshToken);
    expect((await fixture.call.ListDevices({ actorId: userId }, context())).devices).toEqual([
      { ...device, name: 'Renamed', lastSeenAtMs: fixture.clock.now },
    ]);
    // The old session's logout says nothing of a device that has a new one.
    const late = { actorId: userId, sessionId: session.sessionId };
    expect(await fixture.call.Logout(late, context())).toEqual({ deviceIds: [] });
  });

  it('given 8 logins of one device at once, when they are answered, then exactly one session lives', async () => {
    const { name, userId, device } = await newAccount();
    const sessions = await Promise.all(Array.from({ length: 8 }, () => login(name, device)));
    const outcomes = await Promise.all(
      sessions.map((one) =>
        refresh(one.refreshToken).then(
          () => 'lives',
          (error: { code: string }) => error.code,
        ),
      ),
    );
    expect(outcomes.filter((one) => one === 'lives')).toHaveLength(1);
    expect(outcomes.filter((one) => one === 'SESSION_REVOKED')).toHaveLength(7);
    expect((await fixture.call.ListDevices({ actorId: userId }, context())).devices).toHaveLength(1);
  });

  it('given two users with the same device id, when one logs out, then the other stays', async () => {
    const device = someDevice();
    const [one, two] = [await newAccount(), await newAccount()];
    const [a, b] = [await login(one.name, device), await login(two.name, device)];
    await fixture.call.Logout({ actorId: one.userId, sessionId: a.sessionId }, context());
    const devices = [one, two].map(({ userId }) => ({ userId, deviceId: device.id }));
    expect(await fixture.call.CheckSessions({ devices }, context())).toEqual({ live: [devices[1]] });
    await refresh(b.refreshToken);
  });

  it('given a device, when it is renamed, then twice is once and it is listed so', async () => {
    const { userId, device } = await newAccount();
    const renamed = { ...device, name: '  Ada’s other phone ', appVersion: '2.0' };
    const expected = { ...device, name: 'Ada’s other phone', appVersion: '2.0', lastSeenAtMs: fixture.clock.now };
    for (let count = 0; count < 2; count += 1) {
      expect(await fixture.call.PutDevice({ actorId: userId, device: renamed }, context())).toEqual(expected);
    }
    expect(await fixture.call.ListDevices({ actorId: userId }, context())).toEqual({ devices: [expected] });
  });

  it('given a refresh, when devices are listed, then the latest used comes first with its time', async () => {
    const { name, userId, session, device } = await newAccount();
    fixture.clock.advance(1_000);
    const second = await login(name);
    fixture.clock.advance(1_000);
    await refresh(session.refreshToken);
    const { devices } = await fixture.call.ListDevices({ actorId: userId }, context());
    expect(devices.map(({ id, lastSeenAtMs }) => [id, lastSeenAtMs])).toEqual([
      [device.id, fixture.clock.now],
      [second.deviceId, fixture.clock.now - 1_000],
    ]);
  });

  it('given a device, when it is deleted, then its session ends; another time it is NOT_FOUND', async () => {
    const { userId, session, device } = await newAccount();
    const request = { actorId: userId, deviceId: device.id };
    expect(await fixture.call.DeleteDevice(request, context())).toEqual({ deviceIds: [device.id] });
    expect(await refusal(refresh(session.refreshToken))).toEqual({ code: 'SESSION_REVOKED' });
    expect(await refusal(fixture.call.DeleteDevice(request, context()))).toEqual({ code: 'NOT_FOUND' });
    const foreign = { actorId: userId, deviceId: randomUUID() };
    expect(await refusal(fixture.call.DeleteDevice(foreign, context()))).toEqual({ code: 'NOT_FOUND' });
  });

  it('given pairs of any kind, when they are checked, then exactly the live ones of those asked for are answered', async () => {
    const [one, two] = [await newAccount(), await newAccount()];
    await fixture.call.LogoutAll({ actorId: two.userId }, context());
    const third = await login(two.name);
    const live = [
      { userId: one.userId, deviceId: one.device.id },
      { userId: two.userId, deviceId: third.deviceId },
    ];
    const dead = [
      { userId: one.userId, deviceId: third.deviceId },
      { userId: two.userId, deviceId: two.device.id },
      { userId: randomUUID(), deviceId: randomUUID() },
      { userId: 'nobody', deviceId: one.device.id },
    ];
    expect(await fixture.call.CheckSessions({ devices: [...dead, ...live] }, context())).toEqual({ live });
    expect(await fixture.call.CheckSessions({ devices: [] }, context())).toEqual({ live: [] });
  });

  it('given a session that nobody refreshed for 30 days, when it is checked, then it is dead', async () => {
    const { userId, session, device } = await newAccount();
    fixture.clock.advance(2_592_000_000 - 1);
    expect(await live(userId, device.id)).toEqual([device.id]);
    fixture.clock.advance(1);
    expect(await live(userId, device.id)).toEqual([]);
    expect(await refusal(refresh(session.refreshToken))).toEqual({ code: 'SESSION_REVOKED' });
    fixture.clock.advance(-2_592_000_000);
  });
});

describe('announcements', () => {
  it('given a profile that changed, when it is announced, then everybody hears whose it is', async () => {
    const heard: string[] = [];
    const subscription = bus.subscribe(
      subjects.userUpdated,
      ({ data }) => void heard.push(userUpdated.decode(data).userId),
    );
    await (await bus.connection()).flush();
    const events = createUserEvents(bus, silent);
    const userId = randomUUID();
    events.profileChanged(userId);
    const end = Date.now() + 3_000;
    while (!heard.includes(userId) && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(heard).toContain(userId);
    subscription.close();
    events.close();
  });

  it.each<['refuse' | 'silence']>([['refuse'], ['silence']])(
    'given NATS that is away by %s, when a session ends, then the logout is not held up and the announcement comes later',
    async (how) => {
      const nats = await TcpProxy.start(engine('TEST_NATS_URL'));
      const late = await startFixture({ NATS_URL: nats.url });
      const logIn = () => late.call.Register(registration(), context());
      const logOut = async ({ user, sessionId, deviceId }: Awaited<ReturnType<typeof logIn>>) => {
        const request = { actorId: user?.user?.id ?? '', sessionId };
        expect(await late.call.Logout(request, context())).toEqual({ deviceIds: [deviceId] });
      };
      const [before, meanwhile] = [await logIn(), await logIn()];
      const [heardBefore, heard] = [
        await hearRevoked(before.user?.user?.id ?? ''),
        await hearRevoked(meanwhile.user?.user?.id ?? ''),
      ];
      await logOut(before);
      expect(await heardBefore.until(1)).toEqual([before.sessionId]);
      nats[how]();
      await logOut(meanwhile);
      expect(await heard.until(0)).toEqual([]);
      nats.open();
      expect(await heard.until(1)).toEqual([meanwhile.sessionId]);
      for (const one of [heardBefore, heard]) one.close();
      await late.close();
      await nats.close();
    },
  );
});
