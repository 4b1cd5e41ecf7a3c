import type { AuthServiceDefinition } from '@bluewave/protos/generated/bluewave/auth/v1/AuthService';
import type { MediaServiceDefinition } from '@bluewave/protos/generated/bluewave/media/v1/MediaService';
import type { PushServiceDefinition } from '@bluewave/protos/generated/bluewave/push/v1/PushService';
import { createClient } from '@bluewave/rpc/client';
import type { TlsFiles } from '@bluewave/rpc/credentials';
import { type Client, loadService } from '@bluewave/rpc/service-definition';
import type { Logger } from '@bluewave/runtime/logger';
import { canBeReached } from './can-be-reached.ts';
import { ChatReplicas } from './chat-replicas.ts';

export type AuthClient = Client<AuthServiceDefinition>;
export type MediaClient = Client<MediaServiceDefinition>;
export type PushClient = Client<PushServiceDefinition>;

/** The services behind the gateway. Calls reject with AppErrors and end within their context's deadline. */
export type Clients = {
  auth: AuthClient;
  chat: ChatReplicas;
  media: MediaClient;
  push: PushClient;
  /** Which services can be reached within `ms`. */
  reachable(ms: number): Promise<Record<'auth' | 'chat' | 'media' | 'push', boolean>>;
  close(): void;
};

export type ClientsConfig = {
  authAddress: string;
  chatAddress: string;
  mediaAddress: string;
  pushAddress: string;
  tls: TlsFiles | undefined;
};

/** Opens one channel to each service, and one to each replica of chat. Connects in the background. */
export function createClients(config: ClientsConfig, log: Logger): Clients {
  const auth = createClient(
    loadService<AuthServiceDefinition>('auth', 'AuthService'),
    config.authAddress,
    'auth',
    config.tls,
  );
  const media = createClient(
    loadService<MediaServiceDefinition>('media', 'MediaService'),
    config.mediaAddress,
    'media',
    config.tls,
  );
  const push = createClient(
    loadService<PushServiceDefinition>('push', 'PushService'),
    config.pushAddress,
    'push',
    config.tls,
  );
  const chat = new ChatReplicas({ address: config.chatAddress, tls: config.tls, log });
  return {
    auth: auth.call,
    chat,
    media: media.call,
    push: push.call,
    reachable: async (ms) => {
      const [one, two, three, four] = await Promise.all([
        canBeReached(auth.grpc, ms),
        chat.canBeReached(ms),
        canBeReached(media.grpc, ms),
        canBeReached(push.grpc, ms),
      ]);
      return { auth: one, chat: two, media: three, push: four };
    },
    close: () => {
      for (const client of [auth, chat, media, push]) client.close();
    },
  };
}
