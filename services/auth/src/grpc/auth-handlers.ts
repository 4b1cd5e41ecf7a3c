import type { AuthServiceDefinition } from '@bluewave/protos/generated/bluewave/auth/v1/AuthService';
import type { Handlers } from '@bluewave/rpc/service-definition';

/** One handler for each RPC of the proto. */
export type AuthHandlers = Handlers<AuthServiceDefinition>;
