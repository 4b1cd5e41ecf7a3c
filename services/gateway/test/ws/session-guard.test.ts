import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createLogger } from '@bluewave/runtime/logger';
import { Server } from 'socket.io';
import { closeConnection } from '../../src/ws/close-socket.ts';
import { connectionOf } from '../../src/ws/engine-connection.ts';
import { SessionGuard } from '../../src/ws/session-guard.ts';
import type { GatewayServer } from '../../src/ws/socket-types.ts';
import { UserSockets } from '../../src/ws/user-sockets.ts';
import { TestClient } from './test-client.ts';

describe('SessionGuard', () => {
  let http: HttpServer;
  let io: GatewayServer;
  let guard: SessionGuard;
  let now = 0;
  beforeEach(async () => {
    now = 1_000_000;
    http = createServer();
    io = new Server(http);
    io.use((socket, next) => {
      const { expiresAt } = socket.handshake.auth['token'] as { expiresAt: number };
      Object.assign(socket.data, { identity: { userId: 'ada', sessionId: 's', deviceId: 'd', expiresAt } });
      next();
    });
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    guard = new SessionGuard({
      io,
      sockets: new UserSockets(io),
      revocations: { onRevoked: () => ({ close: () => undefined }) },
      auth: { CheckSessions: async () => ({ live: [] }) },
      bus: { onHealed: () => ({ close: () => undefined }) },
      log: createLogger('test', 'silent'),
      now: () => now,
      close: (socket, why) => closeConnection(connectionOf(socket), why),
      graceMs: 60_000,
      checkMs: 20,
    });
  });
  afterEach(async () => {
    guard.close();
    await io.close();
  });

  it('given a token that expires, when a minute has passed, then its socket is closed with a code to come back', async () => {
    const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
    const [expiring, fresh] = [now + 1_000, now + 900_000].map((expiresAt) => new TestClient(url, { expiresAt }));
    await Promise.all([expiring?.connected(), fresh?.connected()]);

    now += 60_500;
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(expiring?.disconnects).toEqual([]);
    now += 1_000;
    await expiring?.hear('disconnect');

    expect(expiring?.disconnects).toEqual([{ reason: 'transport close', code: 4401 }]);
    expect(fresh?.disconnects).toEqual([]);
    fresh?.close();
  });
});
