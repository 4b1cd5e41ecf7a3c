import { randomUUID } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { type AddressInfo, createServer, connect as dial, type Server, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { pause } from '@bluewave/runtime/deadline';
import { createLogger } from '@bluewave/runtime/logger';
import type { Connection } from 'mongoose';
import { connectMongo } from '../src/connect.ts';
import { mongoFailure } from '../src/mongo-failure.ts';

describe('given connections that the other side ends at any moment', () => {
  const sockets = new Set<Socket>();
  let between: Server;
  let connection: Connection;
  const engine = new URL(process.env['TEST_MONGODB_URL'] ?? '');
  const database = `test_lost_${randomUUID().slice(0, 8)}`;
  const at = (url: URL) =>
    connectMongo({ url: url.href, database, appName: 'test', log: createLogger('test', 'silent') });

  beforeAll(async () => {
    between = createServer((socket) => {
      const onward = dial(Number(engine.port), engine.hostname);
      sockets.add(socket);
      for (const [one, other] of [
        [socket, onward],
        [onward, socket],
      ] as const) {
        one.pipe(other);
        one.on('error', () => other.destroy());
        one.on('close', () => other.destroy());
      }
      socket.on('close', () => sockets.delete(socket));
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => between.once('listening', resolve));
    const url = new URL(engine);
    url.port = String((between.address() as AddressInfo).port);
    url.searchParams.delete('replicaSet');
    url.searchParams.set('directConnection', 'true');
    connection = await at(url);
  });
  afterAll(async () => {
    await connection.close();
    // Those that were ended last may be in the pool still.
    const direct = await at(engine);
    await direct.dropDatabase();
    await direct.close();
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => between.close(resolve));
  });

  it('when commands are under way, then each succeeds or fails as one that may be tried again', async () => {
    const failures: unknown[] = [];
    const until = Date.now() + 3_000;
    let ends = 0;
    const ending = setInterval(() => {
      for (const socket of sockets) {
        if ((ends += 1) % 2 === 0) socket.end();
        else socket.destroy();
      }
    }, 5);
    // Larger than what a socket takes at once: some break while a command is being written.
    const text = 'x'.repeat(1_000_000);
    const writer = async (): Promise<void> => {
      while (Date.now() < until) {
        await connection
          .collection('things')
          .insertOne({ text })
          .catch((error: unknown) => failures.push(error));
      }
    };
    await Promise.all(Array.from({ length: 20 }, writer));
    clearInterval(ending);
    expect(failures.length).toBeGreaterThan(0);
    expect(failures.filter((failure) => mongoFailure(failure)?.code !== 'UNAVAILABLE')).toEqual([]);
  });
});

describe('given a client whose sockets have ended, which it is told of in a moment', () => {
  const sockets: Socket[] = [];
  const port = Number(new URL(process.env['TEST_MONGODB_URL'] ?? '').port);
  const keep = (message: unknown): void => void sockets.push((message as { socket: Socket }).socket);
  let connection: Connection;
  beforeEach(async () => {
    subscribe('net.client.socket', keep);
    const url = process.env['TEST_MONGODB_URL'] ?? '';
    const log = createLogger('test', 'silent');
    connection = await connectMongo({ url, database: 'test_lost', appName: 'test', log });
    await connection.collection('things').findOne();
  });
  afterEach(() => void unsubscribe('net.client.socket', keep));

  const endAll = (): void => {
    const ended = sockets.splice(0).filter((socket) => !socket.destroyed && socket.remotePort === port);
    expect(ended.length).toBeGreaterThan(0);
    for (const socket of ended) socket.destroy();
  };
  const settles = async (work: Promise<unknown>): Promise<unknown> => {
    const limit = new AbortController();
    const late = pause(10_000, limit.signal).then(() => 'never');
    const first = await Promise.race([work.catch((error: unknown) => error), late]);
    limit.abort();
    return first;
  };

  it('when it writes, then that succeeds over another or may be tried again', async () => {
    endAll();
    const all = Array.from({ length: 5 }, () => settles(connection.collection('things').findOne()));
    for (const outcome of await Promise.all(all)) {
      expect(outcome === null || mongoFailure(outcome)?.code === 'UNAVAILABLE').toBe(true);
    }
    await connection.close();
  });

  it('when it is closed, then it closes', async () => {
    endAll();
    expect(await settles(connection.close().then(() => 'closed'))).toBe('closed');
  });
});

it('given a socket that the other side resets, then what Node says of it is a database away, and a bug is not', async () => {
  const server = createServer((socket) => socket.resetAndDestroy()).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const socket = dial((server.address() as AddressInfo).port, '127.0.0.1');
  const failure = await new Promise((resolve) => socket.once('error', resolve));
  await new Promise((resolve) => server.close(resolve));
  expect(failure).toMatchObject({ code: 'ECONNRESET' });
  expect(mongoFailure(failure)).toMatchObject({ code: 'UNAVAILABLE', retryAfterMs: 500, cause: failure });
  expect(mongoFailure(new Error('a bug'))).toBeUndefined();
});
