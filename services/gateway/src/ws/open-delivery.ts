import type { CloseStack } from '@bluewave/runtime/close-stack';
import { newTraceId } from '@bluewave/runtime/ids';
import type { ConversationLog } from '../feed/conversation-log.ts';
import { createFeedMetrics } from '../feed/feed-metrics.ts';
import { FeedRegistry } from '../feed/feed-registry.ts';
import { LocalMemberships } from '../feed/local-memberships.ts';
import type { LocalUser, PreparedEntry } from '../feed/local-user.ts';
import { systemTimers } from '../feed/timers.ts';
import type { SocketDeps } from '../socket-deps.ts';
import { eventMs } from './event-router.ts';
import { createEntryPreparer } from './prepare-entry.ts';
import { Signals } from './signals.ts';
import type { UserSockets } from './user-sockets.ts';

export type Delivery = { feeds: FeedRegistry<PreparedEntry>; memberships: LocalMemberships };

/** The way of entries from the bus and the log to the sockets of this gateway. */
export function openDelivery(
  deps: SocketDeps,
  chat: ConversationLog,
  sockets: UserSockets,
  stack: CloseStack,
): Delivery {
  const { bus, log, operations, uploadStates, directory } = deps;
  const prepare = createEntryPreparer(directory, log);
  const signals = stack.add('signals', new Signals({ sockets, operations, uploadStates, log }));
  const common = { bus, chat, log, timers: systemTimers, now: Date.now };
  const feeds: FeedRegistry<PreparedEntry> = stack.add(
    'feeds',
    new FeedRegistry({
      ...common,
      metrics: createFeedMetrics(deps.metrics, () => feeds.size),
      sink: {
        prepare,
        deliver: (prepared, entry) => memberships.apply(prepared, entry),
        signal: (signal) => signals.conversation(signal),
      },
    }),
  );
  const memberships: LocalMemberships = stack.add(
    'memberships',
    new LocalMemberships({
      ...common,
      feeds,
      prepare,
      rooms: sockets,
      onUserEvent: (user, event) => signals.user(user, event),
      loadConversation: (user: LocalUser, conversationId) => {
        const context = { traceId: newTraceId(), deadline: Date.now() + eventMs };
        return operations.getConversation(user.identity, conversationId, context);
      },
    }),
  );
  return { feeds, memberships };
}
