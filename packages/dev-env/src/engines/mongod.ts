import type { EngineBinary } from '../find/locate.ts';
import { waitUntil } from '../net/wait-until.ts';
import type { SupervisedProcess } from '../processes/supervised-process.ts';
import { checkMongo, withMongo } from './check-engine.ts';
import { engineFolder, hosted, type ProcessHost } from './process-host.ts';

const START_TIMEOUT_MS = 60_000;
const SET_NAME = 'rs0';

const argsOf = (port: number, folder: string): string[] => [
  ...['--dbpath', folder, '--port', String(port), '--bind_ip', '127.0.0.1', '--nounixsocket'],
  ...['--replSet', SET_NAME, '--oplogSize', '990', '--wiredTigerCacheSizeGB', '0.25'],
  // A checkpoint every 20 s instead of 60: a server that was killed is back sooner.
  ...['--syncdelay', '20'],
  ...['--setParameter', 'diagnosticDataCollectionEnabled=false'],
  // Without it a primary that was told to end waits 15 s for clients to look for another one.
  ...['--setParameter', 'shutdownTimeoutMillisForSignaledShutdown=100'],
];

type ReplicaSetConfig = { version: number; members: { _id: number; host: string }[] };

/**
 * Makes the server the only member of its replica set. Data of an earlier run names the port it had then; a forced
 * reconfiguration gives the member its new address.
 */
const ensureReplicaSet = (port: number): Promise<void> =>
  withMongo(`mongodb://127.0.0.1:${port}/?directConnection=true`, async (client) => {
    const admin = client.db('admin');
    const host = `127.0.0.1:${port}`;
    const hello = await admin.command({ hello: 1 });
    if (hello['isWritablePrimary'] === true) return;
    const local = await client.db('local').collection<ReplicaSetConfig>('system.replset').findOne({});
    if (local === null) {
      await admin.command({ replSetInitiate: { _id: SET_NAME, members: [{ _id: 0, host }] } });
      return;
    }
    if (local.members[0]?.host === host) return;
    const config = { ...local, version: local.version + 1, members: [{ ...local.members[0], host }] };
    await admin.command({ replSetReconfig: config, force: true });
  });

/** mongod as a replica set of one: majority writes, transactions and change streams work. Its url is `mongodUrl(port)`. */
export const mongod = (host: ProcessHost, binary: EngineBinary, port: number): SupervisedProcess =>
  hosted(host, {
    name: 'mongod',
    command: binary.command,
    args: [...binary.args, ...argsOf(port, engineFolder(host, 'mongod'))],
    env: binary.env,
    ready: async (signal) => {
      await waitUntil(() => ensureReplicaSet(port), { signal, timeoutMs: START_TIMEOUT_MS });
      await waitUntil(() => checkMongo(mongodUrl(port)), { signal, timeoutMs: START_TIMEOUT_MS });
    },
    stopTimeoutMs: 8_000,
  });

/** The connection string of the mongod on `port`. */
export const mongodUrl = (port: number): string => `mongodb://127.0.0.1:${port}/?replicaSet=${SET_NAME}`;
