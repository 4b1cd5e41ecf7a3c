import type { CloseStack } from '@bluewave/runtime/close-stack';
import type { ConversationLog } from '../feed/conversation-log.ts';
import type { LocalMemberships } from '../feed/local-memberships.ts';
import { PresenceAnnouncer } from '../presence/presence-announcer.ts';
import { createPresenceAudience } from '../presence/presence-audience.ts';
import { PresenceKeeper } from '../presence/presence-keeper.ts';
import type { SocketDeps } from '../socket-deps.ts';
import type { AdapterHandle } from './redis-adapter.ts';
import { roomOf } from './room-names.ts';
import type { GatewayServer } from './socket-types.ts';

/** This gateway's share of presence: kept in Redis, told to whom it may concern on every gateway. */
export async function openPresence(
  { presence: store, redis, bootId: boot, log }: SocketDeps,
  io: GatewayServer,
  adapter: Pick<AdapterHandle, 'reachesOthers' | 'onFailure'>,
  chat: ConversationLog,
  memberships: LocalMemberships,
  stack: CloseStack,
): Promise<PresenceKeeper> {
  const broadcast = createPresenceAudience({
    memberships,
    chat,
    log,
    emit: (presence, conversationIds, hiddenFrom) => {
      io.to([roomOf.watchers(presence.userId), ...conversationIds.map(roomOf.conversation)])
        .except([roomOf.user(presence.userId), roomOf.backlogged, ...hiddenFrom.map(roomOf.user)])
        .emit('presence', presence);
    },
  });
  const announcer = stack.add(
    'announcer',
    new PresenceAnnouncer({ store, broadcast, reachesOthers: adapter.reachesOthers, log }),
  );
  adapter.onFailure(() => announcer.missed());
  const onChange = (userId: string, mayBeOffline: boolean): void => announcer.changed(userId, mayBeOffline);
  const keeper = stack.add('presence', new PresenceKeeper({ store, boot, log, onChange }));
  const renew = (): void => void keeper.renew();
  redis.on('ready', renew);
  stack.add('redis listener', { close: () => void redis.off('ready', renew) });
  await keeper.renew();
  return keeper;
}
