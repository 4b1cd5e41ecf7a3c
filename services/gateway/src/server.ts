import { startAdminServer } from '@bluewave/runtime/admin-server';
import { CloseStack } from '@bluewave/runtime/close-stack';
import { sleep, within } from '@bluewave/runtime/deadline';
import { newId } from '@bluewave/runtime/ids';
import type { Logger } from '@bluewave/runtime/logger';
import type { GatewayConfig } from './config.ts';
import { createApp } from './http/create-app.ts';
import { startHttpServer } from './http/start-http-server.ts';
import { openParts, type Parts } from './parts.ts';
import { attachSockets } from './ws/attach-sockets.ts';

/** Requests under way are given this long at shutdown: more than any deadline. */
const finishMs = 5_000;
const askAgainMs = 500;
const lookAgainMs = 50;

export type RunningGateway = { httpPort: number; adminPort: number; close(): Promise<void> };

/**
 * Starts the gateway: REST and sockets on one port, the operators' door on another. It does not wait for its peers:
 * what needs one that is away answers 503 until it is there.
 */
export async function startGateway(config: GatewayConfig, log: Logger): Promise<RunningGateway> {
  const stack = new CloseStack(log);
  try {
    return await open(config, log, stack);
  } catch (error) {
    await stack.close();
    throw error;
  }
}

/**
 * Gives Redis, NATS, chat and the keys of auth a moment, so that a platform where all is well is whole from the first
 * request on. A gateway that is ready gets the sockets of one that goes, hundreds at once, and network policies may let
 * a new pod through only a second after it began.
 */
async function firstConnections({ redis, bus, clients, keys, config, log }: Parts): Promise<void> {
  const { peersPatienceMs } = config;
  const until = Date.now() + peersPatienceMs;
  const patiently = async (ask: () => Promise<boolean>, everyMs: number): Promise<void> => {
    while (!(await ask())) {
      if (Date.now() >= until) throw new Error('it is not there');
      await sleep(everyMs);
    }
  };
  const peers = {
    Redis: redis.status === 'ready' ? Promise.resolve() : new Promise((resolve) => redis.once('ready', resolve)),
    NATS: bus.connection(),
    // A name has no addresses yet.
    chat: patiently(() => clients.chat.canBeReached(Math.max(1, until - Date.now())), lookAgainMs),
    auth: patiently(() => keys.refresh(), askAgainMs),
  };
  const come = Object.entries(peers).map(async ([peer, coming]) => {
    try {
      await within(peersPatienceMs, peer, coming);
    } catch (error) {
      log.warn({ err: error, peer }, 'the start does not wait for a peer any longer; it is used once it is there');
    }
  });
  await Promise.all(come);
}

async function open(config: GatewayConfig, log: Logger, stack: CloseStack): Promise<RunningGateway> {
  let ready = false;
  const parts = openParts(config, log, stack);
  const app = createApp({ ...parts, isReady: () => ready });
  const { metrics } = parts;
  const admin = stack.add('admin', await startAdminServer({ host: config.bindHost, port: config.adminPort, metrics }));
  await firstConnections(parts);
  const http = await startHttpServer(app, config.bindHost, config.httpPort);
  stack.add('http', { close: () => http.drain(finishMs) });
  const sockets = stack.add('sockets', await attachSockets({ ...parts, httpServer: http.server, bootId: newId() }));
  ready = true;
  admin.setReady(true);
  log.info({ httpPort: http.port, adminPort: admin.port }, 'serving');

  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    ready = false;
    admin.setReady(false);
    sockets.beginDrain();
    // In reverse order: sockets, requests, the operators' door, then NATS, gRPC and Redis.
    await stack.close();
  };
  return { httpPort: http.port, adminPort: admin.port, close: () => (closing ??= close()) };
}
