import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { cacheFolder } from '../find/cache-folder.ts';
import type { EngineBinary, LocateContext } from '../find/locate.ts';
import { locateMongod } from '../find/locate-mongod.ts';
import { waitUntil } from '../net/wait-until.ts';
import { projectRoot } from '../paths.ts';
import { checkMongo, withMongo } from './check-engine.ts';
import { mongodUrl } from './mongod.ts';

const startMs = 30_000;

/** Finds a program the way `npm start` does. */
export const locateEngine = (find: (context: LocateContext) => Promise<EngineBinary>): Promise<EngineBinary> =>
  find({
    env: process.env,
    cacheDir: cacheFolder(process.env, projectRoot),
    platform: process.platform,
    arch: process.arch,
    say: () => undefined,
  });

/** An engine under nobody's care, with exactly the arguments that it is given: for set-ups that a platform would not have. */
export class BareEngine {
  readonly #child: ChildProcess;

  constructor(binary: EngineBinary, args: readonly string[]) {
    const env = { ...process.env, ...binary.env };
    this.#child = spawn(binary.command, [...binary.args, ...args], { env, stdio: 'ignore' });
  }

  /** Kills it; what was not on disk is lost. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }
}

/** Waits until something listens on a port of this machine. */
export const waitForPort = (port: number): Promise<void> =>
  waitUntil(
    () =>
      new Promise<void>((resolve, reject) => {
        const socket = connect(port, '127.0.0.1');
        socket.once('error', reject);
        socket.once('connect', () => {
          socket.destroy();
          resolve();
        });
      }),
    { timeoutMs: startMs },
  );

/** A mongod with these arguments, once it listens. @param folder exists and is its alone */
export const bareMongod = async (folder: string, port: number, args: readonly string[]): Promise<BareEngine> => {
  const own = ['--dbpath', folder, '--port', String(port), '--bind_ip', '127.0.0.1', '--nounixsocket'];
  const small = ['--wiredTigerCacheSizeGB', '0.25', '--setParameter', 'diagnosticDataCollectionEnabled=false'];
  const engine = new BareEngine(await locateEngine(locateMongod), [...own, ...small, ...args]);
  await waitForPort(port);
  return engine;
};

/** A new replica set of one, once it takes writes. Its address is `mongodUrl(port)`. */
export const bareReplicaSet = async (folder: string, port: number): Promise<BareEngine> => {
  const engine = await bareMongod(folder, port, ['--replSet', 'rs0']);
  await waitUntil(() => initiate([port]), { timeoutMs: startMs });
  await waitUntil(() => checkMongo(mongodUrl(port)), { timeoutMs: startMs });
  return engine;
};

/**
 * A new replica set, once it takes writes and every member has what was written: one primary, which stays that, and
 * secondaries. @param members a folder and a port for each, the primary's first
 */
export const bareReplicaSetOf = async (members: { folder: string; port: number }[]): Promise<BareEngine[]> => {
  const engines = await Promise.all(members.map(({ folder, port }) => bareMongod(folder, port, ['--replSet', 'rs0'])));
  const ports = members.map(({ port }) => port);
  await waitUntil(() => initiate(ports), { timeoutMs: startMs });
  await waitUntil(() => checkMongo(mongodUrl(ports[0] ?? 0)), { timeoutMs: startMs });
  await waitUntil(() => everybodyServes(ports), { timeoutMs: startMs });
  return engines;
};

const everybodyServes = async (ports: number[]): Promise<void> => {
  for (const port of ports) {
    await withMongo(`mongodb://127.0.0.1:${port}/?directConnection=true`, async (client) => {
      const hello = await client.db('admin').command({ hello: 1 });
      if (hello['isWritablePrimary'] !== true && hello['secondary'] !== true) throw new Error('it does not serve yet');
    });
  }
};

const alreadyInitialized = 23;

/** A mongod that listens may not talk yet: this can be repeated. */
const initiate = (ports: number[]): Promise<void> =>
  withMongo(`mongodb://127.0.0.1:${ports[0]}/?directConnection=true`, async (client) => {
    const members = ports.map((port, _id) => ({ _id, host: `127.0.0.1:${port}`, priority: _id === 0 ? 1 : 0 }));
    try {
      await client.db('admin').command({ replSetInitiate: { _id: 'rs0', members } });
    } catch (error) {
      if ((error as { code?: unknown }).code !== alreadyInitialized) throw error;
    }
  });
