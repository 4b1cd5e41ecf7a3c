import { AppError } from '@bluewave/errors/app-error';
import { committed, operationMs } from '@bluewave/mongo/connect';
import { isDuplicateKey } from '@bluewave/mongo/mongo-failure';
import { readUuid, storeUuid } from '@bluewave/mongo/uuid';
import { type Deadline, remainingMs, sleep } from '@bluewave/runtime/deadline';
import mongoose from 'mongoose';
import type { RotatedToken, Session, SessionRef } from '../sessions/session.ts';
import type { SessionChoice, SessionStore } from '../sessions/session-store.ts';
import type { Models } from './models.ts';
import { native } from './native.ts';
import { liveDeviceIndex, type SessionDocument } from './session-model.ts';

const maxListed = 500;
const pauseMs = 10;
const maxPauseMs = 100;

type Sessions = mongoose.mongo.Collection<SessionDocument>;

/**
 * Sessions in the collection `sessions`, natively: each method is one conditional write or one read, exactly as
 * written here. Writes are acknowledged by a majority (the connection's default), reads are of what a majority holds.
 */
export function createMongoSessionStore(models: Models): SessionStore {
  const sessions = native(models.sessions);
  return {
    replace: (session, deadline) => replace(sessions, session, deadline),
    read: async (userId, sessionId, deadline) => {
      const filter = { _id: storeUuid(sessionId), userId: storeUuid(userId) };
      const found = await sessions.findOne(filter, { ...committed, maxTimeMS: limit(deadline) });
      return found ? toSession(found) : undefined;
    },
    rotate: async (userId, sessionId, { from, to, rotated, at, expiresAt }, deadline) => {
      const { matchedCount } = await sessions.updateOne(
        { _id: storeUuid(sessionId), userId: storeUuid(userId), live: true, tokenHash: bytes(from) },
        {
          $set: {
            tokenHash: bytes(to),
            rotated: rotated.map(toRotatedDocument),
            lastUsedAt: new Date(at),
            expiresAt: new Date(expiresAt),
          },
        },
        { maxTimeMS: limit(deadline) },
      );
      return matchedCount === 1;
    },
    end: (userId, choice, at, deadline) => end(sessions, userId, choice, at, deadline),
    listLive: async (userId, now, deadline) => {
      const found = await sessions
        .find(
          { userId: storeUuid(userId), live: true, expiresAt: { $gt: new Date(now) } },
          { ...committed, hint: liveDeviceIndex, maxTimeMS: limit(deadline) },
        )
        .sort({ lastUsedAt: -1 })
        .limit(maxListed)
        .toArray();
      return found.map(toSession);
    },
    filterLive: async (keys, now, deadline) => {
      const filter = {
        userId: { $in: unique(keys.map(({ userId }) => userId)).map(storeUuid) },
        deviceId: { $in: unique(keys.map(({ deviceId }) => deviceId)).map(storeUuid) },
        live: true as const,
        expiresAt: { $gt: new Date(now) },
      };
      const found = await sessions
        .find(filter, { ...committed, hint: liveDeviceIndex, maxTimeMS: limit(deadline) })
        .project<Pick<SessionDocument, 'userId' | 'deviceId'>>({ _id: 0, userId: 1, deviceId: 1 })
        .toArray();
      const live = new Set(found.map((one) => `${readUuid(one.userId)} ${readUuid(one.deviceId)}`));
      return keys.filter(({ userId, deviceId }) => live.has(`${userId} ${deviceId}`));
    },
  };
}

const limit = (deadline: Deadline): number => remainingMs(deadline, operationMs);
const unique = (values: string[]): string[] => [...new Set(values)];
const bytes = (buffer: Buffer) => new mongoose.mongo.BSON.Binary(buffer);

/** The unique index lets one live session a device stand; whoever meets another one ends it and tries again. */
async function replace(sessions: Sessions, session: Session, deadline: Deadline): Promise<SessionRef[]> {
  const ended: SessionRef[] = [];
  const device = { userId: storeUuid(session.userId), deviceId: storeUuid(session.deviceId), live: true as const };
  for (let tries = 0; Date.now() < deadline; tries += 1) {
    // Many at once would end one another's sessions over and over if they stayed in step.
    if (tries > 0) await sleep(Math.random() * Math.min(tries * pauseMs, maxPauseMs));
    const before = await sessions.findOneAndUpdate(device, ending(session.createdAt), {
      projection: { _id: 1 },
      maxTimeMS: limit(deadline),
    });
    if (before) ended.push({ id: readUuid(before._id), deviceId: session.deviceId });
    try {
      await sessions.insertOne(toDocument(session), { maxTimeMS: limit(deadline) });
      return ended;
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
    }
  }
  throw new AppError('UNAVAILABLE', 'This device logs in many times at once. Try again.', { retryAfterMs: 500 });
}

async function end(
  sessions: Sessions,
  userId: string,
  choice: SessionChoice,
  at: number,
  deadline: Deadline,
): Promise<SessionRef[]> {
  const chosen = {
    userId: storeUuid(userId),
    live: true as const,
    ...(choice.sessionId === undefined ? {} : { _id: storeUuid(choice.sessionId) }),
    ...(choice.deviceId === undefined ? {} : { deviceId: storeUuid(choice.deviceId) }),
  };
  const live = await sessions
    .find(chosen, { maxTimeMS: limit(deadline) })
    .project<Pick<SessionDocument, '_id' | 'deviceId'>>({ deviceId: 1 })
    .toArray();
  // Also when none was found: the write waits until a majority holds whatever ended them.
  const ids = live.map(({ _id }) => _id);
  await sessions.updateMany({ ...chosen, _id: { $in: ids } }, ending(at), { maxTimeMS: limit(deadline) });
  return live.map(({ _id, deviceId }) => ({ id: readUuid(_id), deviceId: readUuid(deviceId) }));
}

const ending = (at: number) => ({ $set: { endedAt: new Date(at) }, $unset: { live: true as const } });

const toRotatedDocument = ({ hash, at, kid }: RotatedToken) => ({ hash: bytes(hash), at: new Date(at), kid });

const toDocument = (session: Session): SessionDocument => ({
  _id: storeUuid(session.id),
  userId: storeUuid(session.userId),
  deviceId: storeUuid(session.deviceId),
  createdAt: new Date(session.createdAt),
  lastUsedAt: new Date(session.lastUsedAt),
  expiresAt: new Date(session.expiresAt),
  live: true,
  familyKey: bytes(session.familyKey),
  tokenHash: bytes(session.tokenHash),
  rotated: session.rotated.map(toRotatedDocument),
});

const toSession = (stored: SessionDocument): Session => ({
  id: readUuid(stored._id),
  userId: readUuid(stored.userId),
  deviceId: readUuid(stored.deviceId),
  createdAt: stored.createdAt.getTime(),
  lastUsedAt: stored.lastUsedAt.getTime(),
  expiresAt: stored.expiresAt.getTime(),
  endedAt: stored.endedAt?.getTime(),
  familyKey: Buffer.from(stored.familyKey.value()),
  tokenHash: Buffer.from(stored.tokenHash.value()),
  rotated: stored.rotated.map(({ hash, at, kid }) => ({ hash: Buffer.from(hash.value()), at: at.getTime(), kid })),
});
