import type { GatewaySocket } from './socket-types.ts';

/** The `ws` socket under a WebSocket connection, as far as it is used here. */
export type WebSocketLike = {
  /** Bytes that have not been handed to the kernel. */
  readonly bufferedAmount: number;
  /** The TCP socket; `_handle` is Node's and may be missing. */
  readonly _socket?: { readonly _handle?: { readonly writeQueueSize?: number } | null } | null;
  close(code: number, reason: string): void;
  terminate(): void;
};

/**
 * The Engine.IO connection under a socket. Its queue and transport are not in the published types, but nothing else
 * tells what a peer has not read; this is the one place that knows their shape.
 */
export type EngineConnection = {
  readonly readyState: string;
  readonly transport: { readonly name: string; readonly writable: boolean; readonly socket?: WebSocketLike };
  /** Packets that wait for the transport; a new array after each flush. */
  readonly writeBuffer: readonly { data?: string | Uint8Array }[];
  /** The request of the handshake; not needed after it. */
  request: unknown;
  close(discard?: boolean): void;
  on(event: 'drain' | 'close', listener: () => void): void;
  once(event: 'drain' | 'close', listener: () => void): void;
  off(event: 'drain' | 'close', listener: () => void): void;
};

export function connectionOf(socket: GatewaySocket): EngineConnection {
  return socket.conn as unknown as EngineConnection;
}

/** The `ws` socket of a connection; undefined while it polls. */
export function webSocketOf(connection: EngineConnection): WebSocketLike | undefined {
  return connection.transport.name === 'websocket' ? connection.transport.socket : undefined;
}

/** Bytes that wait in a connection's own queue. */
export function bytesWaiting(connection: EngineConnection): number {
  let bytes = 0;
  for (const { data } of connection.writeBuffer) bytes += data?.length ?? 0;
  return bytes;
}

const nothing = Object.freeze({});

/** Drops what Socket.IO keeps of the handshake for the whole life of a socket: kilobytes that nobody reads. */
export function dropHandshake(socket: GatewaySocket): void {
  const kept = socket as unknown as { handshake: { auth: object; headers: object; query: object } };
  kept.handshake.auth = nothing;
  kept.handshake.headers = nothing;
  kept.handshake.query = nothing;
  connectionOf(socket).request = undefined;
}
