import { readFileSync } from 'node:fs';
import { WebSocket } from 'ws';
import { failed, type Finding, ok } from '../finding.ts';
import type { DoctorOptions } from '../options.ts';

const check = 'WebSocket';
const openMs = 8_000;

/** Whether an upgrade gets through to the gateway. */
export async function checkWebSocket(options: DoctorOptions): Promise<Finding[]> {
  const opened = await open(options);
  if (typeof opened === 'string') return [failed(check, `the upgrade does not get through: ${opened}`, fixFor(opened))];
  opened.terminate();
  return [ok(check, 'the upgrade gets through, and the gateway speaks first')];
}

function fixFor(why: string): string {
  if (/403/.test(why)) return 'The gateway refuses the origin: see CORS_ORIGINS.';
  return (
    'Let the proxy pass Upgrade and Connection and speak HTTP/1.1 to the gateway ' +
    '(docs/operations.md, "WebSockets and proxies").'
  );
}

/** @returns a socket that has heard the first frame of Engine.IO, or why there is none */
function open({ url, ca }: DoctorOptions): Promise<WebSocket | string> {
  const target = new URL('/socket.io/?EIO=4&transport=websocket', url);
  target.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return new Promise((resolve) => {
    const socket = new WebSocket(target, {
      handshakeTimeout: openMs,
      perMessageDeflate: false,
      ...(ca === undefined ? {} : { ca: readFileSync(ca) }),
    });
    const give = (why: string): void => {
      clearTimeout(timer);
      socket.terminate();
      resolve(why);
    };
    const timer = setTimeout(() => give('it is silent'), openMs);
    socket.on('error', (error) => give(error.message));
    socket.once('unexpected-response', (_, response) => give(`it was answered with ${response.statusCode}`));
    socket.once('message', (data) => {
      clearTimeout(timer);
      const frame = textOf(data);
      if (frame.startsWith('0{')) resolve(socket);
      else give('something else than the gateway answers');
    });
  });
}

const textOf = (data: WebSocket.RawData): string =>
  (Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as Buffer)).toString('utf8');
