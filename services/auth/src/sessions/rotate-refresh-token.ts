import { AppError } from '@bluewave/errors/app-error';
import type { Clock } from '@bluewave/runtime/clock';
import type { Deadline } from '@bluewave/runtime/deadline';
import type { Secrets } from '../tokens/signing-keys.ts';
import {
  formatRefreshToken,
  hashOf,
  isOfFamily,
  parseRefreshToken,
  type RefreshToken,
  successorOf,
} from './refresh-token.ts';
import { isLive, type RotatedToken, type Session } from './session.ts';
import type { SessionEvents, SessionStore } from './session-store.ts';

/** For so long after its rotation a token still answers its successor: its answer may have been lost on the way. */
export const graceMs = 10_000;
/** Rotations within one grace that are remembered; more of them is no client that refreshes, and has to wait. */
export const maxRotationsInGrace = 32;
/** Losing this many races in a row means the record changes faster than it can be read. */
const maxTries = 5;

export type RotateParts = {
  sessions: SessionStore;
  events: SessionEvents;
  secrets: Secrets;
  /** How long an unused session lives. */
  refreshSeconds: number;
  clock: Clock;
};

export type Rotated = { session: Session; refreshToken: string };

/** What a token means to its session now. */
export type Verdict =
  | { kind: 'rotate'; inGrace: RotatedToken[] }
  | { kind: 'repeat'; kid: string }
  | { kind: 'wait'; ms: number }
  | { kind: 'reused' }
  | { kind: 'ended' }
  | { kind: 'foreign' };

/**
 * Exchanges a refresh token for its one successor.
 *
 * The guarantee: a session has one token that can be rotated. The successor of a token is a function of the token,
 * and the step to it is one atomic write conditional on the token being the current one. So however many processes
 * handle however many repeats, and wherever one of them dies, the session is either before the step (the token works)
 * or behind it (the token answers the same successor for 10 s). A token that comes later was copied: the session ends.
 *
 * @throws AppError TOKEN_INVALID, SESSION_REVOKED, REFRESH_TOKEN_REUSED, RATE_LIMITED.
 */
export async function rotateRefreshToken(parts: RotateParts, text: string, deadline: Deadline): Promise<Rotated> {
  const token = parseRefreshToken(text);
  if (!token) throw invalidToken();
  for (let tries = 0; tries < maxTries; tries += 1) {
    const session = await parts.sessions.read(token.userId, token.sessionId, deadline);
    if (!session) throw invalidToken();
    const now = parts.clock();
    const verdict = judge(session, token, now);
    switch (verdict.kind) {
      case 'rotate': {
        const rotated = await step(parts, session, token, verdict.inGrace, now, deadline);
        if (rotated) return rotated;
        break;
      }
      case 'repeat':
        return { session, refreshToken: formatRefreshToken(successor(parts, session, token, verdict.kid)) };
      case 'wait':
        throw new AppError('RATE_LIMITED', 'This session refreshes too often.', { retryAfterMs: verdict.ms });
      case 'reused':
        await endFamily(parts, session, now, deadline);
        throw new AppError(
          'REFRESH_TOKEN_REUSED',
          'This token was used before, so its session has ended. Log in again.',
        );
      case 'ended':
        throw new AppError('SESSION_REVOKED', 'This session has ended. Log in again.');
      case 'foreign':
        throw invalidToken();
    }
  }
  throw new AppError('UNAVAILABLE', 'This session is being refreshed elsewhere. Try again.', { retryAfterMs: 100 });
}

/** Pure: what is to happen with a token, from the session as it stands. */
export function judge(session: Session, token: RefreshToken, now: number): Verdict {
  if (!isOfFamily(token, session.familyKey)) return { kind: 'foreign' };
  if (!isLive(session, now)) return { kind: 'ended' };
  const hash = hashOf(token);
  const inGrace = session.rotated.filter(({ at }) => now - at <= graceMs);
  if (!hash.equals(session.tokenHash)) {
    const before = inGrace.find((one) => hash.equals(one.hash));
    return before ? { kind: 'repeat', kid: before.kid } : { kind: 'reused' };
  }
  const oldest = inGrace[0];
  if (inGrace.length >= maxRotationsInGrace && oldest) return { kind: 'wait', ms: oldest.at + graceMs - now + 1 };
  return { kind: 'rotate', inGrace };
}

/** @returns undefined when another call was first. */
async function step(
  parts: RotateParts,
  session: Session,
  token: RefreshToken,
  inGrace: RotatedToken[],
  now: number,
  deadline: Deadline,
): Promise<Rotated | undefined> {
  const kid = parts.secrets.current;
  const next = successor(parts, session, token, kid);
  const rotation = {
    from: hashOf(token),
    to: hashOf(next),
    rotated: [...inGrace, { hash: hashOf(token), at: now, kid }],
    at: now,
    expiresAt: now + parts.refreshSeconds * 1000,
  };
  const done = await parts.sessions.rotate(session.userId, session.id, rotation, deadline);
  if (!done) return undefined;
  const { to: tokenHash, rotated, expiresAt } = rotation;
  return {
    session: { ...session, tokenHash, rotated, expiresAt, lastUsedAt: now },
    refreshToken: formatRefreshToken(next),
  };
}

function successor({ secrets }: RotateParts, session: Session, token: RefreshToken, kid: string): RefreshToken {
  const secret = secrets.byKid.get(kid);
  // The key was taken away within the grace: nobody can answer this repeat any more, and nobody stole anything.
  if (!secret) throw invalidToken();
  return successorOf(token, secret, session.familyKey);
}

async function endFamily(parts: RotateParts, session: Session, now: number, deadline: Deadline): Promise<void> {
  await parts.sessions.end(session.userId, { sessionId: session.id }, now, deadline);
  parts.events.sessionsRevoked(session.userId, [session.id]);
}

const invalidToken = (): AppError => new AppError('TOKEN_INVALID', 'This is no refresh token of ours. Log in again.');
