import type { EngineBinary } from '../find/locate.ts';
import { waitUntil } from '../net/wait-until.ts';
import type { SupervisedProcess } from '../processes/supervised-process.ts';
import { checkRedis } from './check-engine.ts';
import { engineFolder, hosted, type ProcessHost } from './process-host.ts';

/** redis-server with an append-only file: what it holds survives a restart. Its url is `redisUrl(port)`. */
export const redis = (host: ProcessHost, binary: EngineBinary, port: number): SupervisedProcess =>
  hosted(host, {
    name: 'redis',
    command: binary.command,
    args: [
      ...binary.args,
      ...['--port', String(port), '--bind', '127.0.0.1', '--dir', engineFolder(host, 'redis')],
      ...['--appendonly', 'yes', '--appendfsync', 'everysec', '--save', '', '--daemonize', 'no'],
    ],
    env: binary.env,
    ready: (signal) => waitUntil(() => checkRedis(redisUrl(port)), { signal, timeoutMs: 30_000 }),
    stopTimeoutMs: 5_000,
  });

/** The connection string of the redis-server on `port`. */
export const redisUrl = (port: number): string => `redis://127.0.0.1:${port}`;
