import { once } from 'node:events';
import { createServer as createHttp1Server } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { fcmHandler } from './fcm-handler.ts';

/** A listening stand-in. `close` also ends requests that hang. */
export type FcmServer = { url: string; close: () => Promise<void> };

/** How a client that speaks HTTP/2 without TLS begins. */
const HTTP2_PREFACE = 'PRI * HTTP/2.0';

/**
 * A stand-in for FCM v1 on loopback: `POST /v1/projects/:project/messages:send` over HTTP/1.1 and clear-text HTTP/2 on
 * one port, told apart by their first bytes; beside it `/inbox`, `/faults` and the phones page.
 *
 * @param options `port` 0 takes a free one; `now` stamps deliveries
 */
export const startFcmServer = async (options: { port: number; now: () => Date }): Promise<FcmServer> => {
  const handler = fcmHandler(options.now);
  const http1 = createHttp1Server(handler);
  const http2 = createHttp2Server(handler);
  // A peer that resets its session is its own affair.
  http2.on('sessionError', () => undefined);
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.once('data', (first) => {
      socket.pause();
      socket.unshift(first);
      const isHttp2 = first.toString('latin1').startsWith(HTTP2_PREFACE);
      (isHttp2 ? http2 : http1).emit('connection', socket);
      if (!isHttp2) process.nextTick(() => socket.resume());
    });
  });
  server.listen(options.port, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
};
