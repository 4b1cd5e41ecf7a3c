import { randomUUID } from 'node:crypto';
import { readConfig as readAuthConfig } from '@bluewave/auth/config';
import { type RunningAuth, startAuth } from '@bluewave/auth/server';
import { readConfig as readChatConfig } from '@bluewave/chat/config';
import { type RunningChat, startChat } from '@bluewave/chat/server';
import { readConfig as readMediaConfig } from '@bluewave/media/config';
import { type RunningMedia, startMedia } from '@bluewave/media/server';
import { readConfig as readPushConfig } from '@bluewave/push/config';
import { type RunningPush, startPush } from '@bluewave/push/server';
import { createLogger } from '@bluewave/runtime/logger';

export const log = createLogger('gateway-test', process.env['TEST_LOG_LEVEL'] ?? 'silent');

export function environmentOf(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

/** The services behind the gateway, real, in this process, each with a database of its own. */
export type Services = {
  auth: RunningAuth;
  chat: RunningChat;
  media: RunningMedia;
  push: RunningPush;
  /** Where the gateway finds them. */
  addresses: Record<'AUTH_ADDRESS' | 'CHAT_ADDRESS' | 'MEDIA_ADDRESS' | 'PUSH_ADDRESS', string>;
  close(): Promise<void>;
};

/** @param authChange overrides of auth's environment, e.g. keys that a test signs with. */
export async function startServices(authChange: Record<string, string> = {}): Promise<Services> {
  const unique = randomUUID().slice(0, 8);
  const environment = (service: string) => ({
    BLUEWAVE_ENV: 'development',
    LOG_LEVEL: 'silent',
    BIND_HOST: '127.0.0.1',
    GRPC_PORT: '0',
    ADMIN_PORT: '0',
    RATE_LIMITS: 'off',
    MONGODB_URL: environmentOf('TEST_MONGODB_URL'),
    MONGODB_DATABASE: `test_gateway_${service}_${unique}`,
    REDIS_URL: environmentOf('TEST_REDIS_URL'),
    NATS_URL: environmentOf('TEST_NATS_URL'),
    DEV_ECHO_CODES: 'true',
    S3_ENDPOINT: environmentOf('TEST_S3_ENDPOINT'),
    S3_REGION: environmentOf('TEST_S3_REGION'),
    S3_BUCKET: `test-gateway-${unique}`,
    S3_ACCESS_KEY_ID: environmentOf('TEST_S3_ACCESS_KEY_ID'),
    S3_SECRET_ACCESS_KEY: environmentOf('TEST_S3_SECRET_ACCESS_KEY'),
    FCM_PROJECT_ID: 'test',
    FCM_ENDPOINT: environmentOf('TEST_FCM_ENDPOINT'),
  });
  const mediaConfig = { ...readMediaConfig(environment('media')), workSubject: `bluewave.work.media.gw-${unique}` };
  const [auth, chat, media] = await Promise.all([
    startAuth(readAuthConfig({ ...environment('auth'), ...authChange }), log),
    startChat(readChatConfig(environment('chat')), log),
    startMedia(mediaConfig, log),
  ]);
  const at = (port: number) => `127.0.0.1:${port}`;
  const known = { AUTH_ADDRESS: at(auth.grpcPort), CHAT_ADDRESS: at(chat.grpcPort) };
  const push = await startPush(readPushConfig({ ...environment('push'), ...known }), log, {
    durable: `gateway-test-${unique}`,
    from: 'next',
  });
  return {
    ...{ auth, chat, media, push },
    addresses: { ...known, MEDIA_ADDRESS: at(media.grpcPort), PUSH_ADDRESS: at(push.grpcPort) },
    close: async () => void (await Promise.all([auth.close(), chat.close(), media.close(), push.close()])),
  };
}
