import { type GatewayConfig, readConfig } from '../../../src/config.ts';
import { startGateway } from '../../../src/server.ts';
import { createCaller, type Caller } from './caller.ts';
import { environmentOf, log } from './services.ts';

export type GatewayUnderTest = Caller & { close(): Promise<void> };

/** A gateway on free ports before the given services; `change` overrides its environment. */
export async function startGatewayUnderTest(change: Record<string, string>): Promise<GatewayUnderTest> {
  const running = await startGateway(testConfig(change), log);
  return { ...createCaller(`http://127.0.0.1:${running.httpPort}`), close: running.close };
}

export function testConfig(change: Record<string, string>): GatewayConfig {
  const nowhere = '127.0.0.1:1';
  return readConfig({
    BLUEWAVE_ENV: 'development',
    LOG_LEVEL: 'silent',
    BIND_HOST: '127.0.0.1',
    HTTP_PORT: '0',
    START_PATIENCE_SECONDS: '0',
    ADMIN_PORT: '0',
    RATE_LIMITS: 'off',
    REDIS_URL: environmentOf('TEST_REDIS_URL'),
    NATS_URL: environmentOf('TEST_NATS_URL'),
    AUTH_ADDRESS: nowhere,
    CHAT_ADDRESS: nowhere,
    MEDIA_ADDRESS: nowhere,
    PUSH_ADDRESS: nowhere,
    ...change,
  });
}
