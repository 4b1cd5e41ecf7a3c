import type { Clock } from '@bluewave/runtime/clock';
import type { Deadline } from '@bluewave/runtime/deadline';
import { notFound } from '@bluewave/errors/app-error';
import { parseUuid } from '../accounts/invalid.ts';
import type { DeviceStore } from './device-store.ts';
import type { SessionRef } from './session.ts';
import type { SessionChoice, SessionEvents, SessionStore } from './session-store.ts';

export type EndSessionsParts = { sessions: SessionStore; devices: DeviceStore; events: SessionEvents; clock: Clock };

/**
 * Ends one session of the actor. Idempotent: a repeat answers the same; a session that is not the actor's is nobody's.
 * @returns the device, if it has no session now.
 */
export async function logout(
  parts: EndSessionsParts,
  request: { actorId: string; sessionId: string },
  deadline: Deadline,
): Promise<string[]> {
  const userId = parseUuid(request.actorId, 'actorId');
  const sessionId = parseUuid(request.sessionId, 'sessionId');
  await endAndTell(parts, userId, { sessionId }, deadline);
  const session = await parts.sessions.read(userId, sessionId, deadline);
  return session ? withoutSession(parts, userId, [session.deviceId], deadline) : [];
}

/** Ends every session of the actor. @returns the devices that have none now. */
export async function logoutAll(parts: EndSessionsParts, actorId: string, deadline: Deadline): Promise<string[]> {
  const userId = parseUuid(actorId, 'actorId');
  const ended = await endAndTell(parts, userId, {}, deadline);
  return withoutSession(parts, userId, [...new Set(ended.map(({ deviceId }) => deviceId))], deadline);
}

/**
 * Ends the sessions of a device and forgets it.
 * @returns the device, unless it logged in again meanwhile. @throws AppError NOT_FOUND when the actor has no such device.
 */
export async function deleteDevice(
  parts: EndSessionsParts,
  request: { actorId: string; deviceId: string },
  deadline: Deadline,
): Promise<string[]> {
  const userId = parseUuid(request.actorId, 'actorId');
  const deviceId = parseUuid(request.deviceId, 'deviceId');
  // Sessions first: a device that is forgotten but logged in could not be asked for again.
  const ended = await endAndTell(parts, userId, { deviceId }, deadline);
  const removed = await parts.devices.remove(userId, deviceId, deadline);
  if (!removed && ended.length === 0) throw notFound();
  return withoutSession(parts, userId, [deviceId], deadline);
}

/** The announcement follows the commit; gateways that miss it ask again before long. */
async function endAndTell(
  { sessions, events, clock }: EndSessionsParts,
  userId: string,
  choice: SessionChoice,
  deadline: Deadline,
): Promise<SessionRef[]> {
  const ended = await sessions.end(userId, choice, clock(), deadline);
  if (ended.length > 0)
    events.sessionsRevoked(
      userId,
      ended.map(({ id }) => id),
    );
  return ended;
}

async function withoutSession(
  { sessions, clock }: EndSessionsParts,
  userId: string,
  deviceIds: string[],
  deadline: Deadline,
): Promise<string[]> {
  if (deviceIds.length === 0) return [];
  const keys = deviceIds.map((deviceId) => ({ userId, deviceId }));
  const live = new Set((await sessions.filterLive(keys, clock(), deadline)).map(({ deviceId }) => deviceId));
  return deviceIds.filter((deviceId) => !live.has(deviceId));
}
