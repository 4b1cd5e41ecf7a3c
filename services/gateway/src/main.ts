import { runService } from '@bluewave/runtime/run-service';
import { readConfig } from './config.ts';
import { startGateway } from './server.ts';

await runService('gateway', readConfig, startGateway);
