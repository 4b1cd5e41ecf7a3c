import { randomUUID } from 'node:crypto';
import { type AddressInfo, createServer, connect as dial, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
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
