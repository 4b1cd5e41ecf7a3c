import type { Server } from 'node:http';
import type { EventBus } from '@bluewave/events/event-bus';
import type { PresenceStore } from '@bluewave/presence/presence-store';
import type { Logger } from '@bluewave/runtime/logger';
import type { Redis } from 'ioredis';
import type { Registry } from 'prom-client';
import type { ConversationTypes } from './clients/conversation-types.ts';
import type { Clients } from './clients/clients.ts';
import type { GatewayConfig } from './config.ts';
import type { Revocations } from './identity/revocations.ts';
import type { TokenVerifier } from './identity/token-verifier.ts';
import type { RateLimiter } from './limits/rate-limiter.ts';
import type { Operations } from './operations/operations.ts';
import type { Directory } from './present/directory.ts';
import type { Presenter } from './present/presenter.ts';
import type { UploadStates } from './present/upload-states.ts';

/** What the socket half of the gateway is given; all of it is owned and closed by the server. */
export type SocketDeps = {
  httpServer: Server;
  clients: Clients;
  verifier: TokenVerifier;
  revocations: Revocations;
  directory: Directory;
  uploadStates: UploadStates;
  types: ConversationTypes;
  presenter: Presenter;
  operations: Operations;
  limiter: RateLimiter;
  bus: EventBus;
  redis: Redis;
  presence: PresenceStore;
  metrics: Registry;
  log: Logger;
  config: GatewayConfig;
  /** Names this process among all gateways, new at each start. */
  bootId: string;
};

/** The socket half, running. */
export type SocketHalf = {
  /** Tells sockets to go elsewhere and accepts no new ones. */
  beginDrain(): void;
  /** Closes what is left and releases presence. */
  close(): Promise<void>;
};
