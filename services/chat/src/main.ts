import { runService } from '@bluewave/runtime/run-service';
import { readConfig } from './config.ts';
import { startChat } from './server.ts';

await runService('chat', readConfig, startChat);
