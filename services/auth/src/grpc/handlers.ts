import { accountHandlers } from './account-handlers.ts';
import type { AuthHandlers } from './auth-handlers.ts';
import { loginHandlers } from './login-handlers.ts';
import type { AuthParts } from './parts.ts';
import { sessionHandlers } from './session-handlers.ts';

/** The table of contents of the service. */
export const authHandlers = (parts: AuthParts): AuthHandlers => ({
  ...loginHandlers(parts),
  ...sessionHandlers(parts),
  ...accountHandlers(parts),
});
