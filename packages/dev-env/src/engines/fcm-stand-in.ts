import { waitUntil } from '../net/wait-until.ts';
import { builtFile } from '../paths.ts';
import type { SupervisedProcess } from '../processes/supervised-process.ts';
import { hosted, type ProcessHost } from './process-host.ts';

const answers = async (url: string, signal: AbortSignal): Promise<void> => {
  const response = await fetch(`${url}/healthz`, { signal: AbortSignal.any([signal, AbortSignal.timeout(1_000)]) });
  await response.arrayBuffer();
};

/** The FCM stand-in with its phones page, as a process of its own. */
export const fcmStandIn = (host: ProcessHost, port: number): { url: string; process: SupervisedProcess } => {
  const url = `http://127.0.0.1:${port}`;
  const process = hosted(host, {
    name: 'fcm',
    command: globalThis.process.execPath,
    args: [builtFile('fcm/fcm-main.js')],
    env: { FCM_PORT: String(port) },
    ready: (signal) => waitUntil(() => answers(url, signal), { signal, timeoutMs: 30_000 }),
    stopTimeoutMs: 3_000,
  });
  return { url, process };
};
