import type { EngineBinary } from '../find/locate.ts';
import { waitUntil } from '../net/wait-until.ts';
import type { SupervisedProcess } from '../processes/supervised-process.ts';
import { checkNats } from './check-engine.ts';
import { engineFolder, hosted, type ProcessHost } from './process-host.ts';

/** nats-server with JetStream on files. Its url is `natsUrl(port)`. */
export const nats = (host: ProcessHost, binary: EngineBinary, port: number): SupervisedProcess =>
  hosted(host, {
    name: 'nats',
    command: binary.command,
    args: [
      ...binary.args,
      ...['--addr', '127.0.0.1', '--port', String(port), '--jetstream', '--store_dir', engineFolder(host, 'nats')],
    ],
    env: binary.env,
    ready: (signal) => waitUntil(() => checkNats(natsUrl(port)), { signal, timeoutMs: 30_000 }),
    stopTimeoutMs: 5_000,
  });

/** The address of the nats-server on `port`. */
export const natsUrl = (port: number): string => `nats://127.0.0.1:${port}`;
