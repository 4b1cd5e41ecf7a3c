import { type EngineConnection, webSocketOf } from './engine-connection.ts';

/**
 * Codes of the WebSocket close frame, so that a client knows what to do: come back and sync, with a new token, later,
 * or not at all.
 */
export const closeCodes = {
  slow: { code: 4008, reason: 'slow' },
  expired: { code: 4401, reason: 'token expired' },
  revoked: { code: 4403, reason: 'session revoked' },
  unknown_events: { code: 4400, reason: 'unknown events' },
  too_many_events: { code: 4429, reason: 'too many events' },
  draining: { code: 1012, reason: 'draining' },
} as const;

/** Why a socket was closed by us. */
export type CloseReason = keyof typeof closeCodes;

/** What is queued is given this long to leave, and a peer that does not answer the close frame is cut after it. */
const lingerMs = 1_000;

/** Closes a connection behind what is queued for it, with a close code where there is a WebSocket. */
export function closeConnection(connection: EngineConnection, why: CloseReason): void {
  if (!webSocketOf(connection)) return connection.close();
  const finish = (): void => {
    clearTimeout(timer);
    connection.off('drain', finish);
    cutConnection(connection, why);
  };
  const timer = setTimeout(finish, lingerMs);
  timer.unref();
  if (connection.writeBuffer.length === 0) finish();
  else connection.on('drain', finish);
}

/** Closes a connection at once, without what waits in its queue. */
export function cutConnection(connection: EngineConnection, why: CloseReason): void {
  const { code, reason } = closeCodes[why];
  const webSocket = webSocketOf(connection);
  webSocket?.close(code, reason);
  connection.close(true);
  if (webSocket) setTimeout(() => webSocket.terminate(), lingerMs).unref();
}
