import { userEvent } from '@bluewave/events/codec';
import { EventBus } from '@bluewave/events/event-bus';
import { subjects } from '@bluewave/events/subjects';
import { createPresenceStore } from '@bluewave/presence/create-presence-store';
import { closeRedis, connectRedis } from '@bluewave/redis/connect';
import type { CloseStack } from '@bluewave/runtime/close-stack';
import type { Logger } from '@bluewave/runtime/logger';
import { createMetrics } from '@bluewave/runtime/metrics';
import { createClients } from './clients/clients.ts';
import { ConversationTypes } from './clients/conversation-types.ts';
import type { GatewayConfig } from './config.ts';
import type { HttpDeps } from './http/handler.ts';
import { KeySet } from './identity/key-set.ts';
import { Revocations } from './identity/revocations.ts';
import { TokenVerifier } from './identity/token-verifier.ts';
import { RateLimiter } from './limits/rate-limiter.ts';
import { RoomLimiter } from './limits/room-limiter.ts';
import { SendLimits } from './limits/send-limits.ts';
import { createOperations } from './operations/operations.ts';
import { Directory } from './present/directory.ts';
import { createPresenter } from './present/presenter.ts';
import { UploadStates } from './present/upload-states.ts';

/** What both halves of the gateway work with. */
export type Parts = Omit<HttpDeps, 'isReady'>;

/** Opens everything that REST and sockets share; `stack` lets it go again. Nothing here waits for a peer. */
export function openParts(config: GatewayConfig, log: Logger, stack: CloseStack): Parts {
  const metrics = createMetrics('gateway');
  const redis = connectRedis({ url: config.redisUrl, name: 'gateway', log, commandMs: config.redisCommandMs });
  stack.add('redis', { close: () => closeRedis(redis) });
  const clients = stack.add('clients', createClients(config, log));
  const bus = stack.add('bus', new EventBus({ url: config.natsUrl, name: 'gateway', log }));
  const keys = stack.add('keys', new KeySet({ auth: clients.auth, log }));
  const keepMs = config.accessTokenSeconds * 1_000;
  const revocations = stack.add('revocations', new Revocations({ bus, keepMs }));
  const { tokenIssuer: issuer, tokenAudience: audience } = config;
  const verifier = new TokenVerifier({ keys, revocations, issuer, audience });
  const directory = stack.add('directory', new Directory({ auth: clients.auth, bus, log }));
  const uploadStates = new UploadStates({ media: clients.media, log });
  const types = new ConversationTypes({ chat: clients.chat, log });
  const presenter = createPresenter(directory, uploadStates, types);
  const limiter = new RateLimiter({ redis, log, enabled: config.rateLimits });
  const sendLimits = new SendLimits({
    limiter,
    types,
    rooms: new RoomLimiter({ redis, log, limit: config.roomLimit }),
    messages: { name: 'messages', max: config.messagesPerMinute, windowMs: 60_000 },
    room: config.roomLimit,
    tellMuted: (userId, conversationId, untilMs) => {
      const event = { userId, conversationMuted: { conversationId, untilMs } };
      bus.publish(subjects.user(userId), userEvent.encode(event));
    },
  });
  const operations = createOperations({ chat: clients.chat, media: clients.media, presenter, sendLimits });
  const presence = createPresenceStore({ redis });
  return {
    clients,
    keys,
    verifier,
    revocations,
    directory,
    uploadStates,
    types,
    presenter,
    operations,
    limiter,
    presence,
    bus,
    redis,
    metrics,
    log,
    config,
  };
}
