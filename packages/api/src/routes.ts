import type { Route } from './route.ts';
import { authRoutes } from './routes/auth.ts';
import { conversationRoutes } from './routes/conversations.ts';
import { deviceRoutes } from './routes/devices.ts';
import { markRoutes } from './routes/marks.ts';
import { mediaRoutes } from './routes/media.ts';
import { memberRoutes } from './routes/members.ts';
import { messageRoutes } from './routes/messages.ts';
import { peopleRoutes } from './routes/people.ts';
import { platformRoutes } from './routes/platform.ts';
import { userRoutes } from './routes/users.ts';

/** Every REST operation. The gateway must have a handler for each: the compiler says which is missing. */
export const routes = {
  ...authRoutes,
  ...userRoutes,
  ...peopleRoutes,
  ...deviceRoutes,
  ...conversationRoutes,
  ...memberRoutes,
  ...messageRoutes,
  ...markRoutes,
  ...mediaRoutes,
  ...platformRoutes,
} as const satisfies Record<string, Route>;

export type Routes = typeof routes;
export type RouteId = keyof Routes;
