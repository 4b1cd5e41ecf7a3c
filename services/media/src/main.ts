import { runService } from '@bluewave/runtime/run-service';
import { readConfig } from './config.ts';
import { startMedia } from './server.ts';

await runService('media', readConfig, startMedia);
