import { userEvent, userUpdated } from '@bluewave/events/codec';
import { deadUnnoticedMs, type EventBus } from '@bluewave/events/event-bus';
import { subjects } from '@bluewave/events/subjects';
import type { Logger } from '@bluewave/runtime/logger';
import type { ProfileEvents } from '../accounts/profiles.ts';
import type { SessionEvents } from '../sessions/session-store.ts';

/** Announcements kept while NATS is away. Gateways ask again anyway, so the oldest may go. */
const maxWaiting = 10_000;
const retryMs = 500;

export type UserEvents = SessionEvents & ProfileEvents & { close(): void };

type Announcement = { subject: string; data: Uint8Array };

/**
 * Tells gateways what changed for a user. What NATS does not take now is kept and tried again; what it took shortly
 * before the connection broke is told again, since that may have been dead already. To hear it twice is harmless.
 */
export function createUserEvents(bus: EventBus, log: Logger): UserEvents {
  let waiting: Announcement[] = [];
  let told: { announcement: Announcement; at: number }[] = [];
  let timer: NodeJS.Timeout | undefined;

  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const now = Date.now();
    const recent = told.findIndex(({ at }) => now - at <= deadUnnoticedMs);
    told.splice(0, recent === -1 ? told.length : recent);
    for (let next = waiting[0]; next && bus.publish(next.subject, next.data); next = waiting[0]) {
      waiting.shift();
      told.push({ announcement: next, at: now });
    }
    if (waiting.length > 0) timer = setTimeout(flush, retryMs).unref();
  };
  const announce = (announcement: Announcement): void => {
    if (waiting.length >= maxWaiting) {
      waiting.shift();
      log.warn({ waiting: maxWaiting }, 'NATS is away for long: an announcement was dropped');
    }
    waiting.push(announcement);
    flush();
  };
  const healed = bus.onHealed(() => {
    waiting = [...told.map(({ announcement }) => announcement), ...waiting].slice(-maxWaiting);
    told = [];
    flush();
  });

  return {
    sessionsRevoked: (userId, sessionIds) => {
      const data = userEvent.encode({ userId, sessionsRevoked: { sessionIds } });
      // To the gateways that hold the user's sockets, and to all: each checks tokens.
      announce({ subject: subjects.user(userId), data });
      announce({ subject: subjects.sessionsRevoked, data });
    },
    profileChanged: (userId) => announce({ subject: subjects.userUpdated, data: userUpdated.encode({ userId }) }),
    close: () => {
      flush();
      clearTimeout(timer);
      healed.close();
    },
  };
}
