import type { Entry } from '@bluewave/api/objects';
import type { ServerEventName, ServerEventPayload } from '@bluewave/api/socket-events';
import type { DefaultEventsMap, Server, Socket } from 'socket.io';
import type { LocalUser } from '../feed/local-user.ts';
import type { Identity } from '../identity/identity.ts';
import type { EventBudget } from './event-budget.ts';
import type { EventLimits } from './event-limits.ts';

/** What the server sends: the events of the contract, and every kind of entry under its own type. */
export type ServerToClient = {
  [E in Exclude<ServerEventName, 'server:draining'>]: (payload: ServerEventPayload<E>) => void;
} & {
  /** Acknowledged by devices that go over to another gateway by themselves. */
  'server:draining': (payload: ServerEventPayload<'server:draining'>, acknowledge: () => void) => void;
} & {
  [T in Entry['type']]: (entry: Extract<Entry, { type: T }>) => void;
};

/** What is known of a socket beside its connection. */
export type SocketData = {
  identity: Identity;
  user: LocalUser;
  budget: EventBudget;
  limits: EventLimits;
  /** Users whose presence it follows. */
  watched: readonly string[];
};

export type GatewayServer = Server<DefaultEventsMap, ServerToClient, DefaultEventsMap, SocketData>;
export type GatewaySocket = Socket<DefaultEventsMap, ServerToClient, DefaultEventsMap, SocketData>;
