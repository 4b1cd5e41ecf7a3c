import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import { ConfigError } from './config.ts';

export type AdminServer = { port: number; setReady(ready: boolean): void; close(): Promise<void> };

/**
 * The operators' door: `GET /healthz` (the event loop answers), `GET /readyz` (200 from start to SIGTERM, else 503),
 * `GET /metrics` (Prometheus text). Losing Redis, NATS or FCM never makes a pod unready.
 * @throws ConfigError when the port is in use.
 */
export async function startAdminServer(options: {
  host: string;
  port: number;
  metrics: Registry;
}): Promise<AdminServer> {
  let ready = false;
  const server = createServer((request, response) => {
    const send = (status: number, body: string, type = 'text/plain; charset=utf-8') =>
      response.writeHead(status, { 'content-type': type }).end(body);
    if (request.method !== 'GET') return void send(405, 'method not allowed\n');
    switch (request.url) {
      case '/healthz':
        return void send(200, 'ok\n');
      case '/readyz':
        return void (ready ? send(200, 'ready\n') : send(503, 'not ready\n'));
      case '/metrics':
        return void options.metrics.metrics().then(
          (text) => send(200, text, options.metrics.contentType),
          () => send(500, 'metrics failed\n'),
        );
      default:
        return void send(404, 'not found\n');
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(new ConfigError(`ADMIN_PORT ${options.port} cannot be opened: ${cause.message}`, { cause })),
    );
    server.listen(options.port, options.host, () => resolve());
  });
  return {
    port: (server.address() as AddressInfo).port,
    setReady: (value) => void (ready = value),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
