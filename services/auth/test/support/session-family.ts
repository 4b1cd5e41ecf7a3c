import { randomBytes } from 'node:crypto';
import { AppError } from '@bluewave/errors/app-error';
import { newId } from '@bluewave/runtime/ids';
import { formatRefreshToken, hashOf, newFamilyKey, newRefreshToken } from '../../src/sessions/refresh-token.ts';
import type { RotateParts } from '../../src/sessions/rotate-refresh-token.ts';
import type { Session } from '../../src/sessions/session.ts';
import type { SessionStore } from '../../src/sessions/session-store.ts';
import type { Secrets } from '../../src/tokens/signing-keys.ts';

export const refreshSeconds = 3_600;

export const testSecrets = (...kids: string[]): Secrets => ({
  current: kids[0] ?? 'first',
  byKid: new Map(kids.map((kid) => [kid, randomBytes(32)])),
});

/** A session that was just opened, with its first token. */
export function freshFamily(now: number): { session: Session; token: string } {
  const [id, userId, deviceId] = [newId(), newId(), newId()];
  const familyKey = newFamilyKey();
  const token = newRefreshToken(userId, id, familyKey);
  const session: Session = {
    ...{ id, userId, deviceId, createdAt: now, lastUsedAt: now, expiresAt: now + refreshSeconds * 1000 },
    ...{ endedAt: undefined, familyKey, tokenHash: hashOf(token), rotated: [] },
  };
  return { session, token: formatRefreshToken(token) };
}

/** What rotating needs, with the announcements it made. */
export function rotateParts(sessions: SessionStore, clock: () => number, secrets = testSecrets('first')) {
  const revoked: string[] = [];
  const events = { sessionsRevoked: (_userId: string, ids: string[]) => void revoked.push(...ids) };
  const parts: RotateParts = { sessions, events, secrets, refreshSeconds, clock };
  return { parts, revoked };
}

/** What became of a rotation: the token it answered or the code it was refused with. */
export async function outcomeOf(rotation: Promise<{ refreshToken: string }>): Promise<string> {
  try {
    return (await rotation).refreshToken;
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
}
