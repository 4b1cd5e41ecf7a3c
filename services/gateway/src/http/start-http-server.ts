import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { AppError } from '@bluewave/errors/app-error';
import { toProblem } from '@bluewave/errors/problem';
import { newTraceId } from '@bluewave/runtime/ids';
import type { Express } from 'express';

export type HttpServer = {
  server: Server;
  port: number;
  /** Accepts no more connections and resolves when the last request is answered, at the latest after `ms`. */
  drain(ms: number): Promise<void>;
};

/**
 * Listens for REST and, by the socket half, for upgrades. Slow senders are cut off: a head has 10 s, a whole request
 * 30 s. Connections are kept longer than a load balancer's usual 60 s.
 */
export async function startHttpServer(app: Express, host: string, port: number): Promise<HttpServer> {
  const server = createServer(
    { keepAliveTimeout: 65_000, headersTimeout: 10_000, requestTimeout: 30_000, maxHeaderSize: 16 * 1024 },
    app,
  );
  server.on('clientError', refuseRaw);
  const closed = new Promise<void>((resolve) => server.once('close', () => resolve()));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return {
    server,
    port: (server.address() as AddressInfo).port,
    async drain(ms) {
      const force = setTimeout(() => server.closeAllConnections(), ms);
      if (server.listening) server.close();
      server.closeIdleConnections();
      await closed;
      clearTimeout(force);
    },
  };
}

/** What is no HTTP still gets a problem, and then nothing more. */
function refuseRaw(error: Error & { code?: string }, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy();
  const problem = toProblem(
    new AppError('VALIDATION_FAILED', 'This is no HTTP request that we understand.'),
    newTraceId(),
  );
  const tooLong = error.code === 'HPE_HEADER_OVERFLOW';
  const [status, reason] = tooLong ? [431, 'Request Header Fields Too Large'] : [400, 'Bad Request'];
  const body = JSON.stringify({ ...problem, status });
  socket.end(
    `HTTP/1.1 ${status} ${reason}\r\ncontent-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n` +
      `connection: close\r\n\r\n${body}`,
  );
}
