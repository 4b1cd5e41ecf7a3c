import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { EngineBinary } from '../find/locate.ts';
import { waitUntil } from '../net/wait-until.ts';
import type { SupervisedProcess } from '../processes/supervised-process.ts';
import { engineFolder, hosted, type ProcessHost } from './process-host.ts';

/** How to reach an S3 server. */
export type S3Access = { endpoint: string; region: string; accessKeyId: string; secretAccessKey: string };

const answers = async (endpoint: string, signal: AbortSignal): Promise<void> => {
  const response = await fetch(`${endpoint}/health`, { signal: AbortSignal.any([signal, AbortSignal.timeout(1_000)]) });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`health check answered ${response.status}`);
};

const versitygwArgs = (folder: string, port: string, access: S3Access): string[] => {
  const objects = path.join(folder, 'objects');
  const versions = path.join(folder, 'versions');
  for (const one of [objects, versions]) mkdirSync(one, { recursive: true });
  return [
    ...['--port', `127.0.0.1:${port}`, '--region', access.region, '--health', '/health', '--quiet', '--keep-alive'],
    ...['--cors-allow-origin', '*', 'posix', '--versioning-dir', versions, objects],
  ];
};

/** The S3 server: versitygw or the embedded one. `access.endpoint` names the port it shall have. */
export const s3Server = (host: ProcessHost, binary: EngineBinary, access: S3Access): SupervisedProcess => {
  const embedded = binary.source === 'embedded';
  const folder = engineFolder(host, embedded ? 's3-embedded' : 's3');
  const { port } = new URL(access.endpoint);
  return hosted(host, {
    name: 's3',
    command: binary.command,
    args: [...binary.args, ...(embedded ? [] : versitygwArgs(folder, port, access))],
    // Keys go by the environment: arguments show in the process list.
    env: {
      ...binary.env,
      ROOT_ACCESS_KEY: access.accessKeyId,
      ROOT_SECRET_KEY: access.secretAccessKey,
      ...(embedded ? { S3_PORT: port, S3_FOLDER: folder, S3_REGION: access.region } : {}),
    },
    ready: (signal) => waitUntil(() => answers(access.endpoint, signal), { signal, timeoutMs: 30_000 }),
    stopTimeoutMs: 5_000,
  });
};
