import type { Deadline } from '@bluewave/runtime/deadline';
import type { DeviceKey, RotatedToken, Session, SessionRef } from './session.ts';

export type Rotation = {
  /** The token that is rotated, as its hash: the rotation happens only while it is the current one. */
  from: Buffer;
  to: Buffer;
  rotated: RotatedToken[];
  at: number;
  expiresAt: number;
};

/** Which sessions of a user; none of the fields means all. */
export type SessionChoice = { sessionId?: string; deviceId?: string };

/**
 * The record of sessions. Every write is held by a majority when it resolves, every read returns what a majority
 * holds; when a write rejects, its outcome is unknown.
 */
export type SessionStore = {
  /** Ends the live session of the device, if any, and records this one. A device never has two. @returns what ended. */
  replace(session: Session, deadline: Deadline): Promise<SessionRef[]>;
  read(userId: string, sessionId: string, deadline: Deadline): Promise<Session | undefined>;
  /** Atomic. @returns false when `from` is not the current token of a live session: nothing changed. */
  rotate(userId: string, sessionId: string, rotation: Rotation, deadline: Deadline): Promise<boolean>;
  /** Ends the chosen live sessions. @returns those that were live. */
  end(userId: string, choice: SessionChoice, at: number, deadline: Deadline): Promise<SessionRef[]>;
  /** The user's live sessions, the latest used first, at most 500. */
  listLive(userId: string, now: number, deadline: Deadline): Promise<Session[]>;
  /** Those of the pairs that have a live session, in one query. */
  filterLive(keys: DeviceKey[], now: number, deadline: Deadline): Promise<DeviceKey[]>;
};

/** Told after sessions ended for good. Must not throw. */
export type SessionEvents = { sessionsRevoked(userId: string, sessionIds: string[]): void };
