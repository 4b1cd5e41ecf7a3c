import { runService } from '@bluewave/runtime/run-service';
import { readConfig } from './config.ts';
import { startPush } from './server.ts';

await runService('push', readConfig, startPush);
