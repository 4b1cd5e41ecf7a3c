import type { EventBus } from '@bluewave/events/event-bus';
import type { PresenceStore } from '@bluewave/presence/presence-store';
import type { CallContext } from '@bluewave/rpc/service-definition';
import type { Logger } from '@bluewave/runtime/logger';
import type { Route, RouteAnswer, RouteInput } from '@bluewave/api/route';
import type { RouteId, Routes } from '@bluewave/api/routes';
import type { Redis } from 'ioredis';
import type { Registry } from 'prom-client';
import type { ConversationTypes } from '../clients/conversation-types.ts';
import type { Clients } from '../clients/clients.ts';
import type { GatewayConfig } from '../config.ts';
import type { Identity } from '../identity/identity.ts';
import type { KeySet } from '../identity/key-set.ts';
import type { Revocations } from '../identity/revocations.ts';
import type { TokenVerifier } from '../identity/token-verifier.ts';
import type { RateLimiter } from '../limits/rate-limiter.ts';
import type { Operations } from '../operations/operations.ts';
import type { Directory } from '../present/directory.ts';
import type { Presenter } from '../present/presenter.ts';
import type { UploadStates } from '../present/upload-states.ts';

/** Everything the REST half works with; owned and closed by the server. */
export type HttpDeps = {
  clients: Clients;
  keys: KeySet;
  verifier: TokenVerifier;
  revocations: Revocations;
  directory: Directory;
  uploadStates: UploadStates;
  types: ConversationTypes;
  presenter: Presenter;
  operations: Operations;
  limiter: RateLimiter;
  presence: PresenceStore;
  bus: EventBus;
  redis: Redis;
  metrics: Registry;
  log: Logger;
  config: GatewayConfig;
  /** False from SIGTERM on. */
  isReady(): boolean;
};

/** A validated request of one operation. */
export type HandlerRequest<R extends Route> = RouteInput<R> & {
  caller: R['access'] extends 'user' ? Identity : undefined;
  /** The client's address, as far as proxies are trusted. */
  ip: string;
  /** The client's Idempotency-Key, for services that know how to use one. */
  idempotencyKey: string | undefined;
  context: CallContext;
};

/** Answers one operation with one of its statuses, or throws an AppError. */
export type Handler<R extends Route> = (
  request: HandlerRequest<R>,
) => Promise<RouteAnswer<R> & { headers?: Record<string, string> }>;

/** The handlers of an area: those of the operations named. */
export type HandlersOf<Id extends RouteId> = { [K in Id]: Handler<Routes[K]> };
