import { runService } from '@bluewave/runtime/run-service';
import { readConfig } from './config.ts';
import { startAuth } from './server.ts';

await runService('auth', readConfig, startAuth);
