import { messageReported, userEvent } from '@bluewave/events/codec';
import type { EventBus } from '@bluewave/events/event-bus';
import { subjects } from '@bluewave/events/subjects';
import type { Address } from '../reading/read-store.ts';
import type { Report } from '../reports/report-store.ts';

type Bus = Pick<EventBus, 'publish'>;

/** Tells the user's own devices, on every gateway, that a message is starred or no longer is. */
export function tellStarred(bus: Bus, userId: string, { conversationId, seq }: Address, on: boolean): void {
  const messageStarred = { conversationId, seq, on };
  bus.publish(subjects.user(userId), userEvent.encode({ userId, messageStarred }));
}

/** Tells the tools of whoever operates the platform. Says which message it is, not what it says. */
export function tellReported(bus: Bus, { conversationId, seq, reporterId, reason, at }: Report): void {
  bus.publish(subjects.messageReported, messageReported.encode({ conversationId, seq, reporterId, reason, atMs: at }));
}
