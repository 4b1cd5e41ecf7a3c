import type { RouteId } from '@bluewave/api/routes';
import type { HandlersOf, HttpDeps } from '../handler.ts';
import { authHandlers } from './auth-handlers.ts';
import { banHandlers } from './ban-handlers.ts';
import { conversationHandlers } from './conversation-handlers.ts';
import { deviceHandlers } from './device-handlers.ts';
import { mediaHandlers } from './media-handlers.ts';
import { markingHandlers } from './marking-handlers.ts';
import { memberHandlers } from './member-handlers.ts';
import { messageHandlers } from './message-handlers.ts';
import { messageListHandlers } from './message-list-handlers.ts';
import { peopleHandlers } from './people-handlers.ts';
import { platformHandlers } from './platform-handlers.ts';
import { searchHandlers } from './search-handlers.ts';
import { userHandlers } from './user-handlers.ts';

/** Every REST operation. A route without a handler is a compile error. */
export function createHandlers(deps: HttpDeps): HandlersOf<RouteId> {
  return {
    ...authHandlers(deps),
    ...userHandlers(deps),
    ...peopleHandlers(deps),
    ...deviceHandlers(deps),
    ...conversationHandlers(deps),
    ...memberHandlers(deps),
    ...banHandlers(deps),
    ...messageHandlers(deps),
    ...markingHandlers(deps),
    ...messageListHandlers(deps),
    ...searchHandlers(deps),
    ...mediaHandlers(deps),
    ...platformHandlers(deps),
  };
}
