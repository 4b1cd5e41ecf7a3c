import type { CloseReason } from './close-socket.ts';
import type { GatewayServer, GatewaySocket } from './socket-types.ts';

export type DrainOptions = {
  io: GatewayServer;
  close(socket: GatewaySocket, why: CloseReason): void;
  random: () => number;
  now: () => number;
};

/** Time for the announcement to arrive before the first socket is closed. */
const noticeMs = 150;
/**
 * The spread grows with the number of sockets, so that those who take them over are not run down: a socket that comes
 * back costs its new gateway, chat and MongoDB about 20 ms of CPU together, which is a third of a core at this pace.
 * Nobody waits for the end of the spread, since a socket is served until its own turn.
 */
const spreadPerSocketMs = 60;
const maxSpreadMs = 18_000;
/** A device that said that it goes over by itself is left open for so long after its time. */
const moveMs = 5_000;
/** Events under way are answered before their socket is closed. */
const patienceMs = 3_000;
const lookAgainMs = 25;

/**
 * Sends every socket elsewhere: tells each when to come back, and closes one after the other when its events are
 * answered; those that were just being let in too, at once. Who acknowledges what it is told opens its next connection
 * first and leaves by itself, so that it is never away. Resolves when all are closed, after about 26 s at the latest.
 */
export async function drainSockets(options: DrainOptions): Promise<void> {
  const { io } = options;
  const sockets = [...io.sockets.sockets.values()];
  const spreadMs = Math.min(maxSpreadMs, sockets.length * spreadPerSocketMs);
  const late: Promise<void>[] = [];
  io.on('connection', (socket) => void late.push(sendAway(options, socket, 0)));
  await Promise.all(sockets.map((socket) => sendAway(options, socket, spreadMs)));
  await Promise.all(late);
}

async function sendAway({ close, random, now }: DrainOptions, socket: GatewaySocket, spreadMs: number): Promise<void> {
  // Few at first, twice as many as on average at last: the gateways that take them over may have just started.
  const waitMs = noticeMs + Math.sqrt(random()) * spreadMs;
  let leavesItself = false;
  socket.emit('server:draining', { retryAfterMs: Math.round(waitMs) }, () => (leavesItself = true));
  await pause(waitMs);
  if (leavesItself) await pauseWhile(() => socket.connected, now() + moveMs, now);
  await pauseWhile(() => socket.connected && socket.data.budget.inFlight > 0, now() + patienceMs, now);
  if (socket.connected) close(socket, 'draining');
}

async function pauseWhile(holds: () => boolean, until: number, now: () => number): Promise<void> {
  while (holds() && now() < until) await pause(lookAgainMs);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
