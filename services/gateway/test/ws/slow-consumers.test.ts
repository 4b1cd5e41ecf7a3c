import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { Server } from 'socket.io';
import { io as connect, type Socket as Client } from 'socket.io-client';
import { roomOf } from '../../src/ws/room-names.ts';
import { SlowConsumers } from '../../src/ws/slow-consumers.ts';
import type { GatewayServer } from '../../src/ws/socket-types.ts';

/** The WebSocket under a client, to stop it from reading. */
function wireOf(client: Client): { pause(): void; resume(): void } {
  const { transport } = client.io.engine as unknown as { transport: { ws: { pause(): void; resume(): void } } };
  return transport.ws;
}

async function eventually(what: string, test: () => boolean, ms = 5_000): Promise<void> {
  for (const until = Date.now() + ms; !test(); await pause(20)) {
    if (Date.now() > until) throw new Error(`not within ${ms} ms: ${what}`);
  }
}

describe('SlowConsumers', () => {
  let http: HttpServer;
  let io: GatewayServer;
  let guard: SlowConsumers;
  let closed: string[];
  const clients: Client[] = [];
  beforeEach(async () => {
    http = createServer();
    io = new Server(http, { transports: ['websocket'], perMessageDeflate: false });
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    closed = [];
    const limits = {
      ephemeralBytes: 64 * 1024,
      maxBytes: 512 * 1024,
      overMs: 5_000,
      hardBytes: 64 * 1024 * 1024,
      stallMs: 800,
      sampleMs: 25,
    };
    guard = new SlowConsumers(io, { closed: (reason) => void closed.push(reason) }, limits);
  });
  afterEach(async () => {
    guard.close();
    for (const client of clients.splice(0)) {
      if (client.connected) wireOf(client).resume();
      client.disconnect();
    }
    await io.close();
  });

  const open = async (): Promise<Client> => {
    const client = connect(`http://127.0.0.1:${(http.address() as AddressInfo).port}`, {
      transports: ['websocket'],
      reconnection: false,
    });
    clients.push(client);
    await new Promise<void>((resolve) => client.once('connect', resolve));
    return client;
  };
  const flood = (bytes: number): void => {
    const text = 'x'.repeat(64 * 1024);
    for (let sent = 0; sent < bytes; sent += text.length)
      (io.emit as (event: string, payload: unknown) => void)('flood', { text });
  };

  it('given a peer that stops reading, when much is sent, then it is cut with a code and the others are served', async () => {
    const [stalled, healthy] = await Promise.all([open(), open()]);
    let heard = 0;
    healthy.on('flood', () => (heard += 1));
    const reasons: string[] = [];
    io.sockets.sockets.get(stalled.id ?? '')?.on('disconnect', (reason) => void reasons.push(reason));
    wireOf(stalled).pause();

    flood(16 * 1024 * 1024);
    await eventually('the cut', () => closed.length === 1, 3_000);

    await eventually('the flood', () => heard === 256);
    expect(closed).toEqual(['slow']);
    expect(reasons).toEqual(['forced close']);
    expect([...io.sockets.sockets.keys()]).toEqual([healthy.id]);
    expect(guard.size).toBe(0);
  });

  it('given a peer that pauses for a moment, when it reads again, then ephemeral events passed it by and it stays', async () => {
    const client = await open();
    const socket = io.sockets.sockets.get(client.id ?? '');
    wireOf(client).pause();
    flood(12 * 1024 * 1024);
    await eventually('the backlog', () => socket?.rooms.has(roomOf.backlogged) === true, 300);

    wireOf(client).resume();
    await eventually('the recovery', () => socket?.rooms.has(roomOf.backlogged) === false);

    expect(closed).toEqual([]);
    expect(client.connected).toBe(true);
    expect(guard.size).toBe(0);
  });

  it('given a peer that reads, when far more than the limit is sent at once, then it gets all of it', async () => {
    const client = await open();
    let heard = 0;
    client.on('flood', () => (heard += 1));

    flood(32 * 1024 * 1024);
    await eventually('all of it', () => heard === 512, 10_000);

    expect(closed).toEqual([]);
  }, 15_000);
});
