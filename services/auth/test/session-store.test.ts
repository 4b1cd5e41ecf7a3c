import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newId } from '@bluewave/runtime/ids';
import type { Connection } from 'mongoose';
import { hashOf, parseRefreshToken } from '../src/sessions/refresh-token.ts';
import { rotateRefreshToken } from '../src/sessions/rotate-refresh-token.ts';
import type { SessionStore } from '../src/sessions/session-store.ts';
import { createMongoSessionStore } from '../src/storage/mongo-session-store.ts';
import { ensureIndexes } from '../src/storage/models.ts';
import { dropDatabase, freshDatabase, openDatabase } from './support/auth-fixture.ts';
import { createMemorySessionStore } from './support/memory-session-store.ts';
import { freshFamily, outcomeOf, rotateParts } from './support/session-family.ts';

const database = freshDatabase();
let connection: Connection;
let mongo: SessionStore;
beforeAll(async () => {
  const opened = await openDatabase(database);
  connection = opened.connection;
  await ensureIndexes(opened.models);
  mongo = createMongoSessionStore(opened.models);
});
afterAll(async () => {
  await connection.close();
  await dropDatabase(database);
});

const later = () => Date.now() + 10_000;
const now = 1_900_000_000_000;

/** What the rule of refresh stands on, of the real store and of the one its property tests use. */
describe.each([
  ['MongoDB', () => mongo],
  ['memory', () => createMemorySessionStore().store],
])('the session store in %s', (_name, open) => {
  it('given a session, when it is recorded, then it is read as it was, by its user alone', async () => {
    const store = open();
    const { session } = freshFamily(now);
    const rotated = [{ hash: randomBytes(32), at: now - 5, kid: 'a key' }];
    expect(await store.replace({ ...session, rotated }, later())).toEqual([]);
    expect(await store.read(session.userId, session.id, later())).toEqual({ ...session, rotated });
    expect(await store.read(newId(), session.id, later())).toBeUndefined();
  });

  it('given a token that is not the current one, when it would be rotated, then nothing changes', async () => {
    const store = open();
    const { session } = freshFamily(now);
    await store.replace(session, later());
    const [first, second, third] = [randomBytes(32), randomBytes(32), randomBytes(32)];
    const change = { rotated: [], at: now + 1, expiresAt: now + 2 };
    const rotate = (from: Buffer, to: Buffer) =>
      store.rotate(session.userId, session.id, { from, to, ...change }, later());
    expect(await rotate(session.tokenHash, first)).toBe(true);
    expect(await rotate(first, second)).toBe(true);
    expect(await rotate(session.tokenHash, first)).toBe(false);
    expect(await rotate(first, third)).toBe(false);
    const { at: lastUsedAt, ...rest } = change;
    expect(await store.read(session.userId, session.id, later())).toEqual({
      ...session,
      tokenHash: second,
      lastUsedAt,
      ...rest,
    });
    await store.end(session.userId, { sessionId: session.id }, now + 3, later());
    expect(await rotate(second, third)).toBe(false);
    expect((await store.read(session.userId, session.id, later()))?.endedAt).toBe(now + 3);
  });

  it('given a device with a session, when another is recorded for it, then exactly the old one ends', async () => {
    const store = open();
    const { session } = freshFamily(now);
    const elsewhere = { ...freshFamily(now).session, userId: session.userId };
    const next = { ...freshFamily(now + 1).session, userId: session.userId, deviceId: session.deviceId };
    await store.replace(session, later());
    await store.replace(elsewhere, later());
    expect(await store.replace(next, later())).toEqual([{ id: session.id, deviceId: session.deviceId }]);
    const live = await store.listLive(session.userId, now + 1, later());
    expect(new Set(live.map(({ id }) => id))).toEqual(new Set([elsewhere.id, next.id]));
    expect((await store.read(session.userId, session.id, later()))?.endedAt).toBe(now + 1);
  });

  it('given a slow process that has read, when others rotate twice before it writes, then its write does nothing', async () => {
    const store = open();
    const { session, token } = freshFamily(now);
    await store.replace(session, later());
    const quick = rotateParts(store, () => now).parts;
    let others: string[] = [];
    const stalled: SessionStore = {
      ...store,
      rotate: async (...given) => {
        if (others.length === 0) {
          const first = await outcomeOf(rotateRefreshToken(quick, token, later()));
          others = [first, await outcomeOf(rotateRefreshToken(quick, first, later()))];
        }
        return store.rotate(...given);
      },
    };
    const answer = await outcomeOf(rotateRefreshToken({ ...quick, sessions: stalled }, token, later()));
    expect(answer).toBe(others[0]);
    const current = await store.read(session.userId, session.id, later());
    const last = parseRefreshToken(others[1] ?? '');
    expect(last && hashOf(last)).toEqual(current?.tokenHash);
  });
});
