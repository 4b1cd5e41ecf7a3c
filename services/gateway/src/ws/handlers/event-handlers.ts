import type { EventHandlers } from '../event-router.ts';
import { conversationEvents } from './conversation-events.ts';
import type { HandlerDeps } from './handler-deps.ts';
import { messageEvents } from './message-events.ts';
import { presenceEvents } from './presence-events.ts';
import { typingEvents } from './typing-events.ts';

/** The handlers of all socket events. */
export function createEventHandlers(deps: HandlerDeps): EventHandlers {
  return {
    ...messageEvents(deps),
    ...typingEvents(deps),
    ...presenceEvents(deps),
    ...conversationEvents(deps),
  };
}
