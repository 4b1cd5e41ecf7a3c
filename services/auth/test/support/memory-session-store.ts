import { isLive, type Session } from '../../src/sessions/session.ts';
import type { SessionStore } from '../../src/sessions/session-store.ts';

/**
 * Sessions in memory, with the same atomic steps as the database. `pause` is awaited before and after each step, so
 * that a scheduler can interleave calls at every point where a real one would wait.
 */
export function createMemorySessionStore(pause: () => Promise<void> = async () => undefined) {
  const all = new Map<string, Session>();
  const step = async <T>(act: () => T): Promise<T> => {
    await pause();
    const result = act();
    await pause();
    return result;
  };
  const end = (session: Session, at: number) => all.set(session.id, { ...session, endedAt: at });
  const store: SessionStore = {
    replace: (session) =>
      step(() => {
        const { userId, deviceId, createdAt } = session;
        const before = [...all.values()].filter(
          (one) => one.userId === userId && one.deviceId === deviceId && one.endedAt === undefined,
        );
        for (const one of before) end(one, createdAt);
        all.set(session.id, session);
        return before.map(({ id }) => ({ id, deviceId }));
      }),
    read: (userId, id) =>
      step(() => {
        const session = all.get(id);
        return session?.userId === userId ? session : undefined;
      }),
    rotate: (_userId, id, { from, to, rotated, at, expiresAt }) =>
      step(() => {
        const session = all.get(id);
        if (!session || session.endedAt !== undefined || !session.tokenHash.equals(from)) return false;
        all.set(id, { ...session, tokenHash: to, rotated, lastUsedAt: at, expiresAt });
        return true;
      }),
    end: (userId, { sessionId, deviceId }, at) =>
      step(() => {
        const chosen = [...all.values()].filter(
          (one) =>
            one.userId === userId &&
            one.endedAt === undefined &&
            (sessionId === undefined || one.id === sessionId) &&
            (deviceId === undefined || one.deviceId === deviceId),
        );
        for (const one of chosen) end(one, at);
        return chosen.map(({ id, deviceId: device }) => ({ id, deviceId: device }));
      }),
    listLive: (userId, now) => step(() => [...all.values()].filter((one) => one.userId === userId && isLive(one, now))),
    filterLive: (keys, now) =>
      step(() =>
        keys.filter((key) =>
          [...all.values()].some(
            (one) => one.userId === key.userId && one.deviceId === key.deviceId && isLive(one, now),
          ),
        ),
      ),
  };
  return { store, all };
}
