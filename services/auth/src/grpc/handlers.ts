import type { AuthServiceDefinition } from '@bluewave/protos/generated/bluewave/auth/v1/AuthService';
import type { Handlers } from '@bluewave/rpc/service-definition';
import { accountHandlers } from './account-handlers.ts';
import { loginHandlers } from './login-handlers.ts';
import type { AuthParts } from './parts.ts';
import { sessionHandlers } from './session-handlers.ts';

/** One handler for each RPC of the proto; the index signature of the generated type is left out. */
export type AuthHandlers = {
  [K in keyof Handlers<AuthServiceDefinition> as string extends K ? never : K]: Handlers<AuthServiceDefinition>[K];
};

/** The table of contents of the service. */
export const authHandlers = (parts: AuthParts): AuthHandlers => ({
  ...loginHandlers(parts),
  ...sessionHandlers(parts),
  ...accountHandlers(parts),
});
