import { createFeedMetrics } from '../feed/feed-metrics.ts';
import { FeedRegistry } from '../feed/feed-registry.ts';
import { LocalMemberships } from '../feed/local-memberships.ts';
import type { LocalUser, PreparedEntry } from '../feed/local-user.ts';
import { systemTimers } from '../feed/timers.ts';
import { PresenceAnnouncer } from '../presence/presence-announcer.ts';
import { createPresenceAudience } from '../presence/presence-audience.ts';
import { PresenceKeeper } from '../presence/presence-keeper.ts';
import { CloseStack } from '@bluewave/runtime/close-stack';
import { newTraceId } from '@bluewave/runtime/ids';
import type { SocketDeps, SocketHalf } from '../socket-deps.ts';
import { createAdmission } from './admission.ts';
import { createChatLog } from './chat-log.ts';
import { closeConnection, type CloseReason } from './close-socket.ts';
import { createIo } from './create-io.ts';
import { drainSockets } from './drain.ts';
import { connectionOf, dropHandshake } from './engine-connection.ts';
import { EventDeadlines } from './event-deadlines.ts';
import { createEventRouter, eventMs } from './event-router.ts';
import { createEventHandlers } from './handlers/event-handlers.ts';
import { createEntryPreparer } from './prepare-entry.ts';
import { createRedisAdapter } from './redis-adapter.ts';
import { roomOf } from './room-names.ts';
import { SessionGuard } from './session-guard.ts';
import { Signals } from './signals.ts';
import { SlowConsumers } from './slow-consumers.ts';
import { createSocketMetrics } from './socket-metrics.ts';
import type { GatewaySocket } from './socket-types.ts';
import { TypingSignals } from './typing.ts';
import { UserSockets } from './user-sockets.ts';

/**
 * Puts Socket.IO on the HTTP server: the socket half of the gateway, running when it resolves. What it is given stays
 * the server's to close; what it opens it closes itself.
 */
export async function attachSockets(deps: SocketDeps): Promise<SocketHalf> {
  const { clients, bus, log, redis, config, operations } = deps;
  const now = Date.now;
  const stack = new CloseStack(log);
  let draining: Promise<void> | undefined;

  const metrics = createSocketMetrics(deps.metrics, () => io.sockets.sockets.size);
  const adapter = stack.add(
    'adapter',
    createRedisAdapter(config.redisUrl, log, () => metrics.adapterFailures.inc()),
  );
  const io = createIo(deps.httpServer, adapter.adapter, config.corsOrigins);
  stack.add('sockets', {
    // Not io.close(): the HTTP server is not ours.
    close: () => {
      io.engine.close();
      void io.sockets.adapter.close();
    },
  });
  const sockets = new UserSockets(io);
  const close = (socket: GatewaySocket, why: CloseReason): void => {
    metrics.closed(why);
    closeConnection(connectionOf(socket), why);
  };

  const chat = createChatLog(clients.chat);
  const prepare = createEntryPreparer(deps.directory, log);
  const signals = stack.add('signals', new Signals({ sockets, operations, uploadStates: deps.uploadStates, log }));
  const feeds: FeedRegistry<PreparedEntry> = stack.add(
    'feeds',
    new FeedRegistry({
      bus,
      chat,
      timers: systemTimers,
      now,
      log,
      metrics: createFeedMetrics(deps.metrics, () => feeds.size),
      sink: {
        prepare,
        deliver: (prepared, entry) => memberships.apply(prepared, entry),
        signal: (signal) => signals.conversation(signal),
      },
    }),
  );
  const memberships: LocalMemberships = stack.add(
    'memberships',
    new LocalMemberships({
      bus,
      feeds,
      chat,
      prepare,
      timers: systemTimers,
      now,
      log,
      rooms: sockets,
      onUserEvent: (user, event) => signals.user(user, event),
      loadConversation: (user: LocalUser, conversationId) =>
        operations.getConversation(user.identity, conversationId, {
          traceId: newTraceId(),
          deadline: Date.now() + eventMs,
        }),
    }),
  );

  const audience = createPresenceAudience({
    memberships,
    chat,
    log,
    emit: (presence, conversationIds) => {
      const rooms = [roomOf.watchers(presence.userId), ...conversationIds.map(roomOf.conversation)];
      io.to(rooms)
        .except([roomOf.user(presence.userId), roomOf.backlogged])
        .emit('presence', presence);
    },
  });
  const announcer = stack.add('announcer', new PresenceAnnouncer({ store: deps.presence, broadcast: audience, log }));
  const keeper = stack.add(
    'presence',
    new PresenceKeeper({
      store: deps.presence,
      boot: deps.bootId,
      log,
      onChange: (userId, mayBeOffline) => announcer.changed(userId, mayBeOffline),
    }),
  );
  const renew = (): void => void keeper.renew();
  redis.on('ready', renew);
  stack.add('redis listener', { close: () => void redis.off('ready', renew) });
  await keeper.renew();

  const typing = stack.add('typing', new TypingSignals(io, now));
  const deadlines = stack.add('deadlines', new EventDeadlines(now));
  stack.add('slow consumers', new SlowConsumers(io, metrics));
  stack.add(
    'session guard',
    new SessionGuard({ io, sockets, revocations: deps.revocations, auth: clients.auth, bus, log, now, close }),
  );
  const handlers = createEventHandlers({
    operations,
    clients,
    feeds,
    memberships,
    typing,
    presence: deps.presence,
    keeper,
    log,
    now,
  });
  const route = createEventRouter({ handlers, deadlines, metrics, log, limited: config.rateLimits, now, close });

  const admissionParts = { verifier: deps.verifier, revocations: deps.revocations, directory: deps.directory };
  const isDraining = (): boolean => draining !== undefined;
  io.use(createAdmission({ ...admissionParts, memberships, metrics, log, now, random: Math.random, isDraining }));
  io.on('connection', (socket) => {
    dropHandshake(socket);
    const { identity } = socket.data;
    keeper.connect({ userId: identity.userId, deviceId: identity.deviceId, socketId: socket.id });
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
  });

  const drain = (): Promise<void> => {
    draining ??= drainSockets({ io, close, random: Math.random, now });
    return draining;
  };
  return {
    beginDrain: () => void drain(),
    close: async () => {
      await drain();
      await stack.close();
    },
  };
}
