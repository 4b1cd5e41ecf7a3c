import { io, type Socket } from 'socket.io-client';
import { type BluewaveError, fromProblem, isProblem, offline, timedOut, toBluewaveError } from '../bluewave-error.ts';
import type { ClientEvents } from '../contract.ts';

export type SocketEvents = {
  onOpen(): void;
  /** Once, however it ended or never began. Nothing more comes afterwards. */
  onEnd(error: BluewaveError): void;
  onEvent(name: string, payload: unknown): void;
};

export type SocketOptions = SocketEvents & {
  url: string;
  token: string;
  deviceId: string | undefined;
  /** Begins with long polling, for networks that let no WebSocket through. */
  polling: boolean;
};

/** One connection to a gateway, until it ends. */
export type OpenSocket = {
  /** @throws BluewaveError: the refusal; TIMEOUT after `timeoutMs`; OFFLINE when the connection ended before. */
  ask<E extends keyof ClientEvents>(
    event: E,
    payload: ClientEvents[E]['payload'],
    timeoutMs: number,
  ): Promise<ClientEvents[E]['ack']>;
  /** Ends it; `onEnd` is not called any more. */
  close(): void;
};

const openMs = 10_000;

export function openSocket(options: SocketOptions): OpenSocket {
  const socket = io(options.url, {
    path: '/socket.io',
    auth: { token: options.token, ...(options.deviceId === undefined ? {} : { deviceId: options.deviceId }) },
    transports: options.polling ? ['polling', 'websocket'] : ['websocket'],
    reconnection: false,
    forceNew: true,
    timeout: openMs,
  });
  listen(socket, options);
  return {
    ask: (event, payload, timeoutMs) => ask(socket, event, payload, timeoutMs),
    close: () => shut(socket),
  };
}

function listen(socket: Socket, { onOpen, onEnd, onEvent }: SocketOptions): void {
  const end = (error: BluewaveError): void => {
    shut(socket);
    onEnd(error);
  };
  socket.on('connect', onOpen);
  socket.on('connect_error', (error: Error & { data?: unknown }) => {
    end(isProblem(error.data) ? fromProblem(error.data) : offline(error));
  });
  socket.on('disconnect', (reason) => end(offline(new Error(reason))));
  socket.onAny((name: string, payload: unknown, acknowledge?: () => void) => {
    // Tells the gateway that this device goes over to another one by itself.
    if (name === 'server:draining') acknowledge?.();
    onEvent(name, payload);
  });
}

function shut(socket: Socket): void {
  socket.off();
  socket.offAny();
  socket.disconnect();
  // A connection that is only being opened is not ended by `disconnect` alone.
  socket.io.engine?.close();
}

type Ack = { ok: true } | { ok: false; error: unknown };

async function ask<E extends keyof ClientEvents>(
  socket: Socket,
  event: E,
  payload: ClientEvents[E]['payload'],
  timeoutMs: number,
): Promise<ClientEvents[E]['ack']> {
  if (!socket.connected) throw offline();
  let answer: unknown;
  try {
    answer = await socket.timeout(timeoutMs).emitWithAck(event, payload);
  } catch (error) {
    throw socket.connected ? timedOut() : offline(error);
  }
  if (isAck(answer) && answer.ok) return answer;
  if (isAck(answer) && !answer.ok && isProblem(answer.error)) throw fromProblem(answer.error);
  throw toBluewaveError(new Error(`${event} was acknowledged with what is no acknowledgement`));
}

function isAck(value: unknown): value is Ack {
  return typeof value === 'object' && value !== null && typeof (value as Partial<Ack>).ok === 'boolean';
}
