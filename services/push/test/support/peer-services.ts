import type { AuthServiceDefinition } from '@bluewave/protos/generated/bluewave/auth/v1/AuthService';
import type { ChatServiceDefinition } from '@bluewave/protos/generated/bluewave/chat/v1/ChatService';
import type { GetRecipientsReply } from '@bluewave/protos/generated/bluewave/chat/v1/GetRecipientsReply';
import { AppError, notFound } from '@bluewave/errors/app-error';
import { type RpcServer, startRpcServer } from '@bluewave/rpc/server';
import { type Handlers, loadService } from '@bluewave/rpc/service-definition';
import { createLogger } from '@bluewave/runtime/logger';

type Auth = Pick<Handlers<AuthServiceDefinition>, 'CheckSessions' | 'GetUsers'>;
type Chat = Pick<Handlers<ChatServiceDefinition>, 'GetRecipients'>;

/** Chat and auth as far as push asks them, scripted: real gRPC on a free port. */
export type PeerServices = {
  address: string;
  /** By conversation id; others do not exist. */
  audiences: Map<string, GetRecipientsReply>;
  /** User id -> display name. */
  names: Map<string, string>;
  /** `user/device` of sessions that ended; all others live. */
  ended: Set<string>;
  away: { chat: boolean; auth: boolean };
  calls: {
    sessions: number;
    users: number;
    traceIds: Set<string>;
    /** Whose recipients were asked for. */ conversations: string[];
  };
  /** Runs before a call is answered. */
  before: (call: 'recipients' | 'sessions' | 'users') => Promise<void> | void;
  close(): Promise<void>;
};

export async function startPeerServices(): Promise<PeerServices> {
  let server: RpcServer | undefined;
  const peers: PeerServices = {
    address: '',
    audiences: new Map(),
    names: new Map(),
    ended: new Set(),
    away: { chat: false, auth: false },
    calls: { sessions: 0, users: 0, traceIds: new Set(), conversations: [] },
    before: () => undefined,
    close: async () => server?.close(),
  };
  const refuse = (away: boolean): void => {
    if (away) throw new AppError('UNAVAILABLE', 'This peer is away.');
  };
  const chat: Chat = {
    GetRecipients: async ({ conversationId }, { traceId }) => {
      peers.calls.traceIds.add(traceId);
      peers.calls.conversations.push(conversationId);
      await peers.before('recipients');
      refuse(peers.away.chat);
      const audience = peers.audiences.get(conversationId);
      if (!audience) throw notFound();
      return audience;
    },
  };
  const auth: Auth = {
    CheckSessions: async ({ devices }) => {
      peers.calls.sessions += 1;
      await peers.before('sessions');
      refuse(peers.away.auth);
      return { live: devices.filter(({ userId, deviceId }) => !peers.ended.has(`${userId}/${deviceId}`)) };
    },
    GetUsers: async ({ ids }) => {
      peers.calls.users += 1;
      await peers.before('users');
      refuse(peers.away.auth);
      const known = ids.filter((id) => peers.names.has(id));
      const users = known.map((id) => ({
        id,
        username: id.slice(0, 8),
        displayName: peers.names.get(id) ?? '',
        avatarUrl: '',
        bio: '',
        createdAtMs: 0,
      }));
      return { users };
    },
  };
  server = await startRpcServer({
    host: '127.0.0.1',
    port: 0,
    tls: undefined,
    allowedCallers: [],
    log: createLogger('peers', 'silent'),
    services: [
      { definition: loadService<AuthServiceDefinition>('auth', 'AuthService'), unary: auth },
      { definition: loadService<ChatServiceDefinition>('chat', 'ChatService'), unary: chat },
    ],
  });
  peers.address = `127.0.0.1:${server.port}`;
  return peers;
}
