import { randomUUID } from 'node:crypto';
import { createLogger } from '@bluewave/runtime/logger';
import { type ChatConfig, readConfig } from '../../src/config.ts';

/** A variable that the test set-up exports. */
export function environmentOf(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

export const testLog = createLogger('chat-test', process.env['TEST_LOG_LEVEL'] ?? 'silent');

/** A database name that nobody else has. */
export const newDatabase = (): string => `test_chat_${randomUUID().slice(0, 8)}`;

/** A configuration with a database of its own on the engines of this test run. */
export function testConfig(change: Partial<ChatConfig> = {}): ChatConfig {
  const config = readConfig({
    LOG_LEVEL: 'silent',
    BIND_HOST: '127.0.0.1',
    GRPC_PORT: '0',
    ADMIN_PORT: '0',
    MONGODB_URL: environmentOf('TEST_MONGODB_URL'),
    MONGODB_DATABASE: newDatabase(),
    NATS_URL: environmentOf('TEST_NATS_URL'),
  });
  return { ...config, ...change };
}
