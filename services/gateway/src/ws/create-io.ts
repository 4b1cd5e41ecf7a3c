import type { Server as HttpServer } from 'node:http';
import { limits } from '@bluewave/api/limits';
import { Server } from 'socket.io';
import { coalesceWrites } from './coalesce-writes.ts';
import type { EngineConnection } from './engine-connection.ts';
import { jsonParser } from './json-parser.ts';
import { originIsAllowed } from './origin-check.ts';
import type { AdapterHandle } from './redis-adapter.ts';
import type { GatewayServer } from './socket-types.ts';

/**
 * Socket.IO on the gateway's HTTP server. No per-message deflate: it costs more than all else of a delivery. A dead peer
 * is noticed within 25 s.
 */
export function createIo(
  httpServer: HttpServer,
  adapter: AdapterHandle['adapter'],
  corsOrigins: string[],
): GatewayServer {
  const io: GatewayServer = new Server(httpServer, {
    parser: jsonParser,
    path: '/socket.io',
    serveClient: false,
    transports: ['websocket', 'polling'],
    perMessageDeflate: false,
    httpCompression: false,
    maxHttpBufferSize: limits.socketPayloadBytes,
    pingInterval: 15_000,
    pingTimeout: 10_000,
    connectTimeout: 10_000,
    cleanupEmptyChildNamespaces: true,
    adapter: adapter as never,
    ...(corsOrigins.length > 0
      ? { cors: { origin: corsOrigins.includes('*') ? '*' : corsOrigins, methods: ['GET', 'POST'] } }
      : {}),
    allowRequest: (request, decide) =>
      originIsAllowed(request, corsOrigins) ? decide(null, true) : decide('ORIGIN_REFUSED', false),
  });
  io.engine.on('connection', (connection: EngineConnection) => coalesceWrites(connection));
  return io;
}
