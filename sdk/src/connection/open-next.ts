import type { BluewaveError } from '../bluewave-error.ts';
import type { OpenSocket, SocketEvents, SocketOptions } from './open-socket.ts';

/** A connection that is opened to take over from another one. */
export type NextSocket = {
  /** Makes it the one that is heard. */
  take(events: Pick<SocketEvents, 'onEnd' | 'onEvent'>): OpenSocket;
  /** Gives it up. */
  close(): void;
};

/** Opens a connection beside the present one, which it must not disturb: nothing of it is heard before it is taken. */
export function openNext(
  open: (options: SocketOptions) => OpenSocket,
  options: Omit<SocketOptions, keyof SocketEvents>,
  told: { onReady(): void; onFailed(error: BluewaveError): void },
): NextSocket {
  let events: Pick<SocketEvents, 'onEnd' | 'onEvent'> = { onEnd: told.onFailed, onEvent: () => undefined };
  const socket = open({
    ...options,
    onOpen: told.onReady,
    onEnd: (error) => events.onEnd(error),
    onEvent: (name, payload) => events.onEvent(name, payload),
  });
  return {
    take: (taken) => {
      events = taken;
      return socket;
    },
    close: () => socket.close(),
  };
}
