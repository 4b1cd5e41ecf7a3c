import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type BareEngine, bareReplicaSetOf } from '@bluewave/dev-env/engines/bare-engine';
import { mongodUrl } from '@bluewave/dev-env/engines/mongod';
import { freePort } from '@bluewave/dev-env/net/free-port';
import { createLogger } from '@bluewave/runtime/logger';
import type { Connection } from 'mongoose';
import { committed, connectMongo } from '../src/connect.ts';
import { mongoFailure } from '../src/mongo-failure.ts';
import { type ReadPlace, relaxed } from '../src/relaxed-reads.ts';

describe('given a replica set of two', () => {
  const folders: string[] = [];
  const asked: string[] = [];
  let ports: number[] = [];
  let engines: BareEngine[] = [];
  let connection: Connection;

  beforeAll(async () => {
    ports = [await freePort(), await freePort()];
    for (const _ of ports) folders.push(await mkdtemp(join(tmpdir(), 'relaxed-reads-')));
    engines = await bareReplicaSetOf(ports.map((port, member) => ({ port, folder: folders[member] ?? '' })));
    connection = await connectMongo({
      ...{ url: `${mongodUrl(ports[0] ?? 0)}&monitorCommands=true`, database: 'test', appName: 'test' },
      log: createLogger('test', 'silent'),
    });
    connection.getClient().on('commandStarted', ({ commandName, address }) => {
      if (commandName === 'find') asked.push(address);
    });
    await connection.collection('things').insertOne({ name: 'a thing' });
    // Seen by the driver, and caught up.
    await untilAsked('secondaryPreferred', ports[1]);
  }, 120_000);
  afterAll(async () => {
    await connection?.close();
    await Promise.all(engines.map((engine) => engine.stop()));
    await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true })));
  });

  const read = (place: ReadPlace) =>
    connection.collection('things').findOne({ name: 'a thing' }, { ...committed, ...relaxed(place) });

  async function untilAsked(place: ReadPlace, port: number | undefined): Promise<void> {
    for (let tries = 0; tries < 100; tries += 1) {
      const found = await read(place).catch((error: unknown) => {
        // While a member goes, or is not known yet, nobody answers.
        expect(mongoFailure(error)?.code).toBe('UNAVAILABLE');
        return null;
      });
      if (found && asked.at(-1) === `127.0.0.1:${port}`) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`${place} never asked ${port}: ${asked.slice(-3).join()}`);
  }

  it('when something is read, then the primary is asked, and a secondary only for what may be old', async () => {
    asked.splice(0);
    await connection.collection('things').findOne({ name: 'a thing' });
    await read('primary');
    await read('primaryPreferred');
    await read('secondaryPreferred');
    const [primary, secondary] = ports.map((port) => `127.0.0.1:${port}`);
    expect(asked).toEqual([primary, primary, primary, secondary]);
  });

  it('when the secondary is lost, then what may be old is read from the primary', async () => {
    await engines[1]?.stop();
    await untilAsked('secondaryPreferred', ports[0]);
    expect(await read('nearest')).toMatchObject({ name: 'a thing' });
  });
});
