// The push service as a process of its own, for tests that kill it: configuration on argv as JSON, ports on stdout.
import { startPush } from '@bluewave/push/server';
import { createLogger } from '@bluewave/runtime/logger';

const { config, entries } = JSON.parse(process.argv[2]);
const push = await startPush(config, createLogger('push', process.env.TEST_LOG_LEVEL ?? 'silent'), entries);
process.stdout.write(`${JSON.stringify({ grpcPort: push.grpcPort })}\n`);
// Who started it is gone: so is its pipe, and with it this process.
process.stdin.resume();
process.stdin.once('end', () => process.exit(0));
