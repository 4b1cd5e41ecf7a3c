import type { PresenceStore } from '@bluewave/presence/presence-store';
import type { Logger } from '@bluewave/runtime/logger';
import type { Clients } from '../../clients/clients.ts';
import type { FeedRegistry } from '../../feed/feed-registry.ts';
import type { LocalMemberships } from '../../feed/local-memberships.ts';
import type { PreparedEntry } from '../../feed/local-user.ts';
import type { Operations } from '../../operations/operations.ts';
import type { PresenceKeeper } from '../../presence/presence-keeper.ts';
import type { TypingSignals } from '../typing.ts';

/** What socket events work with. */
export type HandlerDeps = {
  operations: Operations;
  clients: Pick<Clients, 'chat'>;
  feeds: FeedRegistry<PreparedEntry>;
  memberships: LocalMemberships;
  typing: TypingSignals;
  presence: PresenceStore;
  keeper: PresenceKeeper;
  log: Logger;
  now: () => number;
};
