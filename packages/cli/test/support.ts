import type { KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect as connectTcp } from 'node:net';
import type { Finding } from '../src/doctor/finding.ts';
import { runDoctor } from '../src/doctor/run-doctor.ts';

export type Report = {
  code: number;
  findings: Finding[];
  of(check: string): Finding[];
  states(check: string): string[];
};

/** Runs `bluewave doctor --json` with these arguments. */
export async function doctor(args: string[], env: NodeJS.ProcessEnv = {}): Promise<Report> {
  let output = '';
  const code = await runDoctor([...args, '--json'], env, (text) => (output += text));
  const { findings } = JSON.parse(output) as { findings: Finding[] };
  const of = (check: string): Finding[] => findings.filter((one) => one.check === check);
  return { code, findings, of, states: (check) => of(check).map(({ state }) => state) };
}

type Issue = (wanted: {
  commonName: string;
  dnsNames?: string[];
  days: number;
  issuer?: { commonName: string; key: KeyObject };
  now?: Date;
}) => { key: string; cert: string };

const certificates = new URL('../../../helm/bluewave/files/x509.mjs', import.meta.url);

/** A certificate as the chart makes them; signed by itself without an issuer. */
export const { issue } = (await import(certificates.href)) as { issue: Issue };

export type ProxyFaults = {
  /** Answers WebSocket upgrades as a proxy does that does not know them. */
  refuseUpgrade?: boolean;
  /** Cuts an upgraded connection after so long. */
  cutAfterMs?: number;
  /** Changes what comes back. */
  headers?: (headers: Record<string, string | string[] | undefined>) => void;
};

export type TestProxy = { url: string; port: number; close(): Promise<void> };

/** A reverse proxy in front of a gateway, with TLS when there is a certificate. */
export async function startProxy(
  target: string,
  faults: ProxyFaults,
  tls?: { key: string; cert: string },
): Promise<TestProxy> {
  const { hostname, port } = new URL(target);
  const pass = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    const options = { hostname, port, method: incoming.method, path: incoming.url, headers: incoming.headers };
    const onward = request(options, (answer) => {
      const headers = { ...answer.headers };
      faults.headers?.(headers);
      outgoing.writeHead(answer.statusCode ?? 502, headers);
      answer.pipe(outgoing);
    });
    onward.once('error', () => outgoing.destroy());
    incoming.pipe(onward);
  };
  const server: Server = tls ? createTlsServer(tls, pass) : createServer(pass);
  server.on('upgrade', (incoming, socket, head) => {
    socket.on('error', () => undefined);
    if (faults.refuseUpgrade) return void socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n');
    const onward = connectTcp(Number(port), hostname, () => {
      const lines = Object.entries(incoming.headers).map(([name, value]) => `${name}: ${String(value)}`);
      onward.write(`GET ${incoming.url} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
      onward.write(head);
      socket.pipe(onward).pipe(socket);
    });
    onward.on('error', () => socket.destroy());
    socket.on('close', () => onward.destroy());
    if (faults.cutAfterMs !== undefined) setTimeout(() => socket.destroy(), faults.cutAfterMs);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port: own } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  return { url: `${tls ? 'https' : 'http'}://localhost:${own}`, port: own, close };
}
