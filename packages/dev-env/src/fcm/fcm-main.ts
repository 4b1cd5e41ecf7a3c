import { startFcmServer } from './fcm-server.ts';

/** The stand-in as a process: `FCM_PORT` says where; SIGTERM ends it. */
const server = await startFcmServer({ port: Number(process.env['FCM_PORT'] ?? '0'), now: () => new Date() });
process.stdout.write(`FCM stand-in at ${server.url}\n`);
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void server.close().then(() => process.exit(0)));
