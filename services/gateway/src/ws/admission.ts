import { limits } from '@bluewave/api/limits';
import { AppError, toAppError } from '@bluewave/errors/app-error';
import { toProblem } from '@bluewave/errors/problem';
import type { PresenceStore } from '@bluewave/presence/presence-store';
import { newTraceId } from '@bluewave/runtime/ids';
import type { Logger } from '@bluewave/runtime/logger';
import type { LocalMemberships } from '../feed/local-memberships.ts';
import type { LocalUser } from '../feed/local-user.ts';
import type { Identity } from '../identity/identity.ts';
import type { Revocations } from '../identity/revocations.ts';
import type { TokenVerifier } from '../identity/token-verifier.ts';
import type { Directory } from '../present/directory.ts';
import { AdmissionControl } from './admission-control.ts';
import { connectionOf } from './engine-connection.ts';
import { EventBudget } from './event-budget.ts';
import { EventLimits } from './event-limits.ts';
import { roomOf } from './room-names.ts';
import type { SocketMetrics } from './socket-metrics.ts';
import type { GatewaySocket } from './socket-types.ts';

export type AdmissionOptions = {
  verifier: Pick<TokenVerifier, 'verify'>;
  revocations: Pick<Revocations, 'has'>;
  memberships: LocalMemberships;
  directory: Pick<Directory, 'prime'>;
  presence: Pick<PresenceStore, 'connectionsOf'>;
  metrics: SocketMetrics;
  log: Logger;
  now: () => number;
  random: () => number;
  isDraining(): boolean;
};

/** Events of one socket: bursts of a client that catches up pass, a loop that went wild does not. */
const eventBurst = 300;
const eventsPerSecond = 150;

/**
 * Lets sockets in: verifies the token, bounds sockets a user, and has the socket in the rooms of all its conversations
 * before the client learns that it is connected, so that what it syncs from then on and what it hears leave no hole.
 */
export function createAdmission(
  options: AdmissionOptions,
): (socket: GatewaySocket, next: (error?: Error) => void) => void {
  const control = new AdmissionControl(options);
  const admit = async (socket: GatewaySocket): Promise<void> => {
    if (options.isDraining()) throw comeBack(options);
    const isOpen = (): boolean => connectionOf(socket).readyState === 'open';
    await control.run(async () => enter(options, socket, await options.verifier.verify(tokenOf(socket))), isOpen);
    if (options.isDraining()) throw comeBack(options);
  };
  return (socket, next) => {
    admit(socket).then(
      () => next(),
      (thrown: unknown) => {
        const error = toAppError(thrown);
        const traceId = newTraceId();
        options.metrics.refused(error.code);
        if (error.httpStatus >= 500) options.log.warn({ err: error, traceId }, 'a socket could not be let in');
        next(Object.assign(new Error(error.code), { data: toProblem(error, traceId) }));
      },
    );
  };
}

async function enter(options: AdmissionOptions, socket: GatewaySocket, identity: Identity): Promise<void> {
  const { memberships, revocations, directory, now } = options;
  const everywhere = await connectionsOf(options, identity.userId);
  // Nothing waits between this look and the count in `attach`.
  const here = memberships.find(identity.userId)?.sockets ?? 0;
  if (Math.max(here, everywhere) >= limits.socketsPerUser) {
    throw new AppError('TOO_MANY_CONNECTIONS', `At most ${limits.socketsPerUser} connections are open at once.`, {
      retryAfterMs: 10_000,
    });
  }
  const user = await memberships.attach(identity);
  const connection = connectionOf(socket);
  if (connection.readyState !== 'open' || revocations.has(identity.sessionId)) {
    memberships.detach(user);
    throw new AppError('SESSION_REVOKED', 'This session has ended. Log in again.');
  }
  socket.data = { identity, user, watched: [], budget: newBudget(now), limits: new EventLimits(now) };
  // From here on nothing waits: the rooms are those of this very moment.
  const rooms = memberships.roomsOf(user).map(roomOf.conversation);
  void socket.join([roomOf.user(user.id), ...rooms, ...[...user.blocked].map(roomOf.deafTo)]);
  directory.prime(identity);
  countOutOnce(socket, user, memberships);
}

/** Connections on all gateways, as presence knows them; without Redis each gateway counts its own. */
async function connectionsOf({ presence, log }: AdmissionOptions, userId: string): Promise<number> {
  try {
    return await presence.connectionsOf(userId);
  } catch (error) {
    log.debug({ err: error }, 'connections on other gateways cannot be counted');
    return 0;
  }
}

/** However the socket ends, also before it was ever connected. */
function countOutOnce(socket: GatewaySocket, user: LocalUser, memberships: LocalMemberships): void {
  const connection = connectionOf(socket);
  const countOut = (): void => {
    connection.off('close', countOut);
    socket.off('disconnect', countOut);
    memberships.detach(user);
  };
  connection.on('close', countOut);
  socket.on('disconnect', countOut);
}

function newBudget(now: () => number): EventBudget {
  return new EventBudget({ burst: eventBurst, perSecond: eventsPerSecond, now });
}

function tokenOf(socket: GatewaySocket): string | undefined {
  const { token } = socket.handshake.auth as { token?: unknown };
  return typeof token === 'string' ? token : undefined;
}

function comeBack({ random }: AdmissionOptions): AppError {
  const retryAfterMs = Math.round(500 + random() * 2_500);
  return new AppError('UNAVAILABLE', 'This server goes away. Connect again.', { retryAfterMs });
}
