import type { BusSubscription, EventBus } from '@bluewave/events/event-bus';
import { newTraceId } from '@bluewave/runtime/ids';
import type { Logger } from '@bluewave/runtime/logger';
import type { AuthClient } from '../clients/clients.ts';
import type { Revocations } from '../identity/revocations.ts';
import type { CloseReason } from './close-socket.ts';
import type { GatewayServer, GatewaySocket } from './socket-types.ts';
import type { UserSockets } from './user-sockets.ts';

export type SessionGuardOptions = {
  io: GatewayServer;
  sockets: UserSockets;
  revocations: Pick<Revocations, 'onRevoked'>;
  auth: Pick<AuthClient, 'CheckSessions'>;
  bus: Pick<EventBus, 'onHealed'>;
  log: Logger;
  now: () => number;
  close(socket: GatewaySocket, why: CloseReason): void;
  /** How long a socket outlives its token: time to come back with a new one. */
  graceMs?: number;
  checkMs?: number;
};

const defaultGraceMs = 60_000;
const defaultCheckMs = 5_000;
const devicesAtOnce = 500;
const callMs = 2_000;

/**
 * Ends sockets whose session has ended, within a second of its announcement, and those whose token has expired a
 * minute ago: a client connects again with a new token before that, or then. What was announced while the bus was away
 * is asked for when it is back.
 */
export class SessionGuard {
  readonly #options: SessionGuardOptions;
  readonly #subscriptions: BusSubscription[];
  readonly #timer: NodeJS.Timeout;

  constructor(options: SessionGuardOptions) {
    this.#options = options;
    this.#subscriptions = [
      options.revocations.onRevoked(({ userId, sessionIds }) => {
        for (const socket of options.sockets.of(userId)) {
          if (sessionIds.includes(socket.data.identity.sessionId)) this.#revoke(socket);
        }
      }),
      options.bus.onHealed(() => void this.#checkAll()),
    ];
    this.#timer = setInterval(() => this.#endExpired(), options.checkMs ?? defaultCheckMs);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
    for (const subscription of this.#subscriptions) subscription.close();
  }

  #revoke(socket: GatewaySocket): void {
    socket.emit('session:revoked', {});
    // Says to the client library that it need not try again.
    socket.disconnect();
    this.#options.close(socket, 'revoked');
  }

  #endExpired(): void {
    const latest = this.#options.now() - (this.#options.graceMs ?? defaultGraceMs);
    for (const socket of this.#options.io.sockets.sockets.values()) {
      if (socket.data.identity.expiresAt < latest) this.#options.close(socket, 'expired');
    }
  }

  async #checkAll(): Promise<void> {
    const sockets = [...this.#options.io.sockets.sockets.values()];
    for (let start = 0; start < sockets.length; start += devicesAtOnce) {
      const some = sockets.slice(start, start + devicesAtOnce);
      const devices = some.map(({ data: { identity } }) => ({ userId: identity.userId, deviceId: identity.deviceId }));
      try {
        const context = { traceId: newTraceId(), deadline: Date.now() + callMs };
        const { live } = await this.#options.auth.CheckSessions({ devices }, context);
        const alive = new Set(live.map(({ userId, deviceId }) => `${userId} ${deviceId}`));
        for (const socket of some) {
          const { userId, deviceId } = socket.data.identity;
          if (!alive.has(`${userId} ${deviceId}`)) this.#revoke(socket);
        }
      } catch (error) {
        // Their tokens end them within minutes.
        this.#options.log.warn({ err: error, sockets: some.length }, 'sessions cannot be checked');
      }
    }
  }
}
