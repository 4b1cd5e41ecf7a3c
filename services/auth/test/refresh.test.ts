import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Connection } from 'mongoose';
import { parseRefreshToken } from '../src/sessions/refresh-token.ts';
import { graceMs, rotateRefreshToken } from '../src/sessions/rotate-refresh-token.ts';
import type { SessionStore } from '../src/sessions/session-store.ts';
import { createMongoSessionStore } from '../src/storage/mongo-session-store.ts';
import type { Models } from '../src/storage/models.ts';
import {
  type AuthFixture,
  context,
  openDatabase,
  refusal,
  registration,
  startFixture,
} from './support/auth-fixture.ts';
import { freshFamily, outcomeOf, rotateParts } from './support/session-family.ts';

let fixture: AuthFixture;
let connection: Connection;
let models: Models;
beforeAll(async () => {
  fixture = await startFixture();
  ({ connection, models } = await openDatabase(fixture.config.mongodbDatabase));
});
afterAll(async () => {
  await connection.close();
  await fixture.close();
});

const refresh = (refreshToken: string) => fixture.call.Refresh({ refreshToken, ip: '' }, context());

describe('Refresh', () => {
  it('given a session, when it is refreshed, then the same session goes on with new tokens and no user in the answer', async () => {
    const first = await fixture.call.Register(registration(), context());
    fixture.clock.advance(60_000);
    const next = await refresh(first.refreshToken);
    expect(next).toEqual({
      user: null,
      ...{ accessToken: expect.any(String), refreshToken: expect.any(String), expiresIn: 900 },
      ...{ deviceId: first.deviceId, sessionId: first.sessionId },
    });
    expect(next.refreshToken).not.toBe(first.refreshToken);
    expect(next.accessToken).not.toBe(first.accessToken);
  });

  it('given 20 refreshes of one token at once, when they are answered, then all got the same successor', async () => {
    const { refreshToken } = await fixture.call.Register(registration(), context());
    const replies = await Promise.all(Array.from({ length: 20 }, () => refresh(refreshToken)));
    const [successor, ...others] = [...new Set(replies.map((reply) => reply.refreshToken))];
    expect(others).toEqual([]);
    expect((await refresh(successor ?? '')).refreshToken).toMatch(/^bwr_/);
  });

  it('given a token used 10 s ago, when it comes again, then REFRESH_TOKEN_REUSED and the session has ended', async () => {
    const first = await fixture.call.Register(registration(), context());
    const next = await refresh(first.refreshToken);
    fixture.clock.advance(graceMs);
    expect((await refresh(first.refreshToken)).refreshToken).toBe(next.refreshToken);
    fixture.clock.advance(1);
    expect(await refusal(refresh(first.refreshToken))).toEqual({ code: 'REFRESH_TOKEN_REUSED' });
    expect(await refusal(refresh(next.refreshToken))).toEqual({ code: 'SESSION_REVOKED' });
    const devices = [{ userId: first.user?.user?.id ?? '', deviceId: first.deviceId }];
    expect(await fixture.call.CheckSessions({ devices }, context())).toEqual({ live: [] });
  });

  it('given what is no token, when it is refreshed, then TOKEN_INVALID', async () => {
    const { accessToken } = await fixture.call.Register(registration(), context());
    for (const one of ['', 'x', accessToken, `bwr_${'A'.repeat(107)}`]) {
      expect(await refusal(refresh(one))).toEqual({ code: 'TOKEN_INVALID' });
    }
  });

  it('given a session in the database, when it is read, then no token is there in the clear', async () => {
    const { refreshToken, sessionId } = await fixture.call.Register(registration(), context());
    const { refreshToken: next } = await refresh(refreshToken);
    const stored = JSON.stringify(await models.sessions.collection.find({}).toArray());
    expect(stored).toContain('tokenHash');
    for (const token of [refreshToken, next]) {
      const secret = parseRefreshToken(token)?.secret;
      expect(parseRefreshToken(token)?.sessionId).toBe(sessionId);
      expect(stored).not.toContain(secret?.toString('base64'));
      expect(stored).not.toContain(secret?.toString('hex'));
    }
  });
});

/** The process was killed: whatever it was about to do next never happens. */
class Killed extends Error {}

/** The store of a process that is killed at its n-th await: before the step reaches the database, or after it did. */
function killedAt(store: SessionStore, awaits: { left: number }): SessionStore {
  const step = async <T>(act: () => Promise<T>): Promise<T> => {
    if (awaits.left-- === 0) throw new Killed();
    const result = await act();
    if (awaits.left-- === 0) throw new Killed();
    return result;
  };
  return {
    replace: (...given) => step(() => store.replace(...given)),
    read: (...given) => step(() => store.read(...given)),
    rotate: (...given) => step(() => store.rotate(...given)),
    end: (...given) => step(() => store.end(...given)),
    listLive: (...given) => step(() => store.listLive(...given)),
    filterLive: (...given) => step(() => store.filterLive(...given)),
  };
}

describe('a process that is killed while it refreshes', () => {
  const deadline = () => Date.now() + 10_000;

  async function killedRefresh(at: number) {
    const clock = { now: Date.now() };
    const store = createMongoSessionStore(models);
    const { session, token } = freshFamily(clock.now);
    await store.replace(session, deadline());
    const { parts } = rotateParts(store, () => clock.now);
    const rotate = (text: string) => outcomeOf(rotateRefreshToken(parts, text, deadline()));
    const dying = { ...parts, sessions: killedAt(store, { left: at }) };
    const wasKilled = await rotateRefreshToken(dying, token, deadline()).then(
      () => false,
      (error: unknown) => error instanceof Killed || Promise.reject(error),
    );
    return { clock, token, rotate, wasKilled };
  }

  it.each([0, 1, 2, 3])('given death at await %i, when the client asks again in time, then it goes on', async (at) => {
    const { clock, token, rotate, wasKilled } = await killedRefresh(at);
    expect(wasKilled).toBe(true);
    clock.now += 5_000;
    const next = await rotate(token);
    expect(next).toMatch(/^bwr_/);
    expect(await rotate(token)).toBe(next);
    expect(await rotate(next)).toMatch(/^bwr_/);
  });

  it.each([0, 1, 2, 3])(
    'given death at await %i, when the grace is over, then exactly one of old and successor works',
    async (at) => {
      const { clock, token, rotate } = await killedRefresh(at);
      const twin = await killedRefresh(at);
      // The successor, which the dead process may have given to the client: found in a twin that asks in time.
      clock.now += graceMs + 1;
      const answer = await rotate(token);
      const reachedTheDatabase = at === 3;
      expect(answer).toEqual(reachedTheDatabase ? 'REFRESH_TOKEN_REUSED' : expect.stringMatching(/^bwr_/));
      const successor = await twin.rotate(twin.token);
      twin.clock.now += graceMs + 1;
      expect(await twin.rotate(successor)).toMatch(/^bwr_/);
      expect(await twin.rotate(twin.token)).toBe('REFRESH_TOKEN_REUSED');
      expect(await twin.rotate(successor)).toBe('SESSION_REVOKED');
    },
  );

  it('given four awaits in a refresh, when it is killed after the last, then there is no fifth', async () => {
    expect((await killedRefresh(4)).wasKilled).toBe(false);
  });
});
