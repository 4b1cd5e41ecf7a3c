import { CloseStack } from '@bluewave/runtime/close-stack';
import type { PresenceKeeper } from '../presence/presence-keeper.ts';
import type { SocketDeps, SocketHalf } from '../socket-deps.ts';
import { createAdmission } from './admission.ts';
import { createChatLog } from './chat-log.ts';
import { closeConnection, type CloseReason } from './close-socket.ts';
import { createIo } from './create-io.ts';
import { drainSockets } from './drain.ts';
import { connectionOf, dropHandshake } from './engine-connection.ts';
import { EventDeadlines } from './event-deadlines.ts';
import { createEventRouter, type EventRouter } from './event-router.ts';
import { createEventHandlers } from './handlers/event-handlers.ts';
import { openDelivery } from './open-delivery.ts';
import { openPresence } from './open-presence.ts';
import { type AdapterHandle, createRedisAdapter } from './redis-adapter.ts';
import { SessionGuard } from './session-guard.ts';
import { SlowConsumers } from './slow-consumers.ts';
import { createSocketMetrics, type SocketMetrics } from './socket-metrics.ts';
import type { GatewayServer, GatewaySocket } from './socket-types.ts';
import { TypingSignals } from './typing.ts';
import { UserSockets } from './user-sockets.ts';

/**
 * Puts Socket.IO on the HTTP server: the socket half of the gateway, running when it resolves. What it is given stays
 * the server's to close; what it opens it closes itself.
 */
export async function attachSockets(deps: SocketDeps): Promise<SocketHalf> {
  const { clients, bus, log, config, revocations, presence } = deps;
  const now = Date.now;
  const stack = new CloseStack(log);
  const metrics = createSocketMetrics(deps.metrics, () => io.sockets.sockets.size);
  const { io, adapter } = openIo(deps, metrics, stack);
  const close = (socket: GatewaySocket, why: CloseReason): void => {
    metrics.closed(why);
    closeConnection(connectionOf(socket), why);
  };
  let draining: Promise<void> | undefined;
  const drain = (): Promise<void> => (draining ??= drainSockets({ io, close, random: Math.random, now }));

  const chat = createChatLog(clients.chat, deps.types);
  const sockets = new UserSockets(io);
  const { feeds, memberships } = openDelivery(deps, chat, sockets, stack);
  const keeper = await openPresence(deps, io, adapter, chat, memberships, stack);
  const typing = stack.add('typing', new TypingSignals(io, now));
  const deadlines = stack.add('deadlines', new EventDeadlines(now));
  stack.add('slow consumers', new SlowConsumers(io, metrics));
  stack.add('session guard', new SessionGuard({ io, sockets, revocations, auth: clients.auth, bus, log, now, close }));
  const handlers = createEventHandlers({ ...deps, feeds, memberships, typing, presence, keeper, now });
  const route = createEventRouter({ handlers, deadlines, metrics, log, limited: config.rateLimits, now, close });
  const isDraining = (): boolean => draining !== undefined;
  io.use(createAdmission({ ...deps, memberships, metrics, now, random: Math.random, isDraining }));
  io.on('connection', (socket) => serve(socket, route, keeper, typing));

  return {
    beginDrain: () => void drain(),
    close: async () => {
      await drain();
      await stack.close();
    },
  };
}

function openIo(
  deps: SocketDeps,
  metrics: SocketMetrics,
  stack: CloseStack,
): { io: GatewayServer; adapter: AdapterHandle } {
  const { config, log, httpServer } = deps;
  const adapter = stack.add('adapter', createRedisAdapter(config.redisUrl, log));
  adapter.onFailure(() => metrics.adapterFailures.inc());
  const io = createIo(httpServer, adapter.adapter, config.corsOrigins);
  stack.add('sockets', {
    // Not io.close(): the HTTP server is not ours.
    close: () => {
      io.engine.close();
      void io.sockets.adapter.close();
    },
  });
  return { io, adapter };
}

function serve(socket: GatewaySocket, route: EventRouter, keeper: PresenceKeeper, typing: TypingSignals): void {
  const { userId, deviceId } = socket.data.identity;
  dropHandshake(socket);
  keeper.connect({ userId, deviceId, socketId: socket.id });
  socket.onAny((...args: unknown[]) => {
    keeper.beat(socket.id);
    route(socket, args);
  });
  socket.on('disconnect', (reason) => {
    typing.leave(socket);
    keeper.disconnect(socket.id);
    // A client that left the namespace but kept the connection has no use for it.
    if (reason === 'client namespace disconnect') connectionOf(socket).close();
  });
}
