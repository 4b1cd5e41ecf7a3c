import type { AuthServiceDefinition } from '@bluewave/protos/generated/bluewave/auth/v1/AuthService';
import type { ChatServiceDefinition } from '@bluewave/protos/generated/bluewave/chat/v1/ChatService';
import { newTraceId } from '@bluewave/runtime/ids';
import type { PresenceStore } from '@bluewave/presence/presence-store';
import type { Peers, Trace } from '../notifications/peers.ts';
import type { DeviceKey } from '../tokens/device-token.ts';
import { gathered } from '../notifications/gathered.ts';
import type { Replicas } from './replicas.ts';
import { createSenderNames, type SenderNames } from './sender-names.ts';

/** A call between services takes at most 2 s. */
const callMs = 2_000;
/** What auth takes in one CheckSessions and GetUsers. */
const maxKeys = 500;

export type PeerServices = {
  auth: Replicas<AuthServiceDefinition>;
  chat: Replicas<ChatServiceDefinition>;
  presence: PresenceStore;
};

/** The other services as this one asks them. `names` is the cache of display names, to be told of changes. */
export function createPeers({ auth, chat, presence }: PeerServices): { peers: Peers; names: SenderNames } {
  const context = (traceId: string) => ({ traceId, deadline: Date.now() + callMs });
  const ask = gathered<DeviceKey & Trace, boolean>(async (devices) => {
    const asked = devices.map(({ userId, deviceId }) => ({ userId, deviceId }));
    // Several entries may share the call; it is logged under the first one's trace.
    const { live } = await auth.next().CheckSessions({ devices: asked }, context(devices[0]?.traceId ?? newTraceId()));
    const alive = new Set(live.map(({ userId, deviceId }) => `${userId}/${deviceId}`));
    return ({ userId, deviceId }) => alive.has(`${userId}/${deviceId}`);
  }, maxKeys);
  const names = createSenderNames(async (userId) => {
    const { users } = await auth.next().GetUsers({ ids: [userId] }, context(newTraceId()));
    const user = users.find(({ id }) => id === userId);
    return user ? user.displayName || user.username : undefined;
  });
  const peers: Peers = {
    audienceOf: ({ conversationId, seq }, { traceId }) =>
      chat.next().GetRecipients({ conversationId, seq }, context(traceId)),
    hasSession: (device, { traceId }) => ask({ ...device, traceId }),
    displayNameOf: (userId) => names.of(userId),
    connectedDevices: (userIds) => presence.liveDevices(userIds),
  };
  return { peers, names };
}
