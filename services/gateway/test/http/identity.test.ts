import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import { userEvent } from '@bluewave/events/codec';
import { EventBus } from '@bluewave/events/event-bus';
import { subjects } from '@bluewave/events/subjects';
import { KeySet } from '../../src/identity/key-set.ts';
import { Revocations } from '../../src/identity/revocations.ts';
import { TokenVerifier } from '../../src/identity/token-verifier.ts';
import { eventually } from './support/caller.ts';
import { environmentOf, log } from './support/services.ts';
import { jwksOf, makeKey, signToken, type TestKey } from './support/tokens.ts';

describe('token verification', () => {
  const closers: (() => void)[] = [];
  afterEach(() => closers.splice(0).forEach((close) => close()));

  /** A verifier before an auth of these keys, with a clock that the test moves. */
  const verifierOf = (...published: TestKey[]) => {
    const world = { keys: published, away: false, asked: 0, now: Date.now(), revoked: new Set<string>() };
    const auth = {
      GetKeys: () => {
        world.asked += 1;
        return world.away ? Promise.reject(new Error('away')) : Promise.resolve({ jwksJson: jwksOf(...world.keys) });
      },
    };
    const now = () => world.now;
    const keys = new KeySet({ auth, log, now });
    closers.push(() => keys.close());
    const verifier = new TokenVerifier({
      keys,
      revocations: world.revoked,
      issuer: 'bluewave',
      audience: 'bluewave',
      now,
    });
    return { world, verifier };
  };

  it('given a token, when verified, then it says who calls', async () => {
    const key = makeKey();
    const claims = {
      sub: randomUUID(),
      sid: randomUUID(),
      did: randomUUID(),
      username: 'ada',
      name: 'Ada',
      avatar: '/a.png',
    };
    const exp = Math.floor(Date.now() / 1_000) + 60;
    expect(await verifierOf(key).verifier.verify(signToken(key, { claims: { ...claims, exp } }))).toEqual({
      userId: claims.sub,
      sessionId: claims.sid,
      deviceId: claims.did,
      username: 'ada',
      displayName: 'Ada',
      avatarUrl: '/a.png',
      expiresAt: exp * 1_000,
    });
  });

  it('given a verified token, when time passes and its session ends, then it is refused all the same', async () => {
    const key = makeKey();
    const { verifier, world } = verifierOf(key);
    const token = signToken(key);
    const { sessionId } = await verifier.verify(token);
    world.revoked.add(sessionId);
    await expect(verifier.verify(token)).rejects.toMatchObject({ code: 'SESSION_REVOKED' });
    world.revoked.delete(sessionId);
    world.now += 901_000;
    await expect(verifier.verify(token)).rejects.toMatchObject({ code: 'TOKEN_EXPIRED' });
  });

  it('given a new key, when a token names it, then it is asked for, but not for every unknown one', async () => {
    const [old, fresh] = [makeKey(), makeKey()];
    const { verifier, world } = verifierOf(old);
    await verifier.verify(signToken(old));
    world.keys = [fresh, old];
    world.now += 1_500;
    await verifier.verify(signToken(fresh));
    expect(world.asked).toBe(2);
    for (let index = 0; index < 5; index += 1) {
      await expect(verifier.verify(signToken(makeKey()))).rejects.toMatchObject({ code: 'TOKEN_INVALID' });
    }
    expect(world.asked).toBe(2);
  });

  it('given auth away, when tokens of known keys come, then they are verified; of unknown ones it cannot be said', async () => {
    const key = makeKey();
    const { verifier, world } = verifierOf(key);
    await verifier.verify(signToken(key));
    world.away = true;
    world.now += 1_500;
    await expect(verifier.verify(signToken(makeKey()))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(verifier.verify(signToken(key))).resolves.toMatchObject({ username: 'ada' });
  });
});

describe('ended sessions', () => {
  it('given an announcement on the bus, when heard, then it is told once and kept until no token can be alive', async () => {
    const bus = new EventBus({ url: environmentOf('TEST_NATS_URL'), name: 'test', log });
    let now = Date.now();
    const revocations = new Revocations({ bus, keepMs: 900_000, now: () => now });
    try {
      await (await bus.connection()).flush();
      const [userId, sessionId] = [randomUUID(), randomUUID()];
      const told: unknown[] = [];
      revocations.onRevoked((revoked) => told.push(revoked));
      const data = userEvent.encode({ userId, sessionsRevoked: { sessionIds: [sessionId] } });
      bus.publish(subjects.sessionsRevoked, data);
      bus.publish(subjects.sessionsRevoked, data);
      await eventually(() => Promise.resolve(revocations.has(sessionId) || undefined));
      await (await bus.connection()).flush();
      expect(told).toEqual([{ userId, sessionIds: [sessionId] }]);
      now += 961_000;
      revocations.add({ userId, sessionIds: [randomUUID()] });
      expect(revocations.has(sessionId)).toBe(false);
    } finally {
      revocations.close();
      await bus.close();
    }
  });
});
