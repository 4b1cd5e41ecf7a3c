import type { ClientEventSource } from './client-events.ts';
import type { Entry, ServerEvents } from './contract.ts';
import type { Mutes } from './live/mutes.ts';
import type { Presences } from './live/presence.ts';
import type { Typing } from './live/typing.ts';
import type { SyncDriver } from './sync/sync-driver.ts';
import type { Conversations } from './views/conversations.ts';
import type { PointerSender } from './views/pointer-sender.ts';

export type InboundDeps = {
  events: ClientEventSource;
  sync: SyncDriver;
  conversations: Conversations;
  mutes: Mutes;
  pointers: PointerSender;
  typing: Typing;
  presences: Presences;
};

/** An event that carries a position in a log is an entry, also one of a kind that this version does not know. */
function isEntry(payload: unknown): payload is Omit<Entry, 'type'> {
  const { conversationId, seq } = (payload ?? {}) as Partial<Entry>;
  return typeof conversationId === 'string' && Number.isSafeInteger(seq);
}

/** Takes every event of the platform to whom it concerns. Events that this version does not know are passed over. */
export function createInbound(deps: InboundDeps): (name: string, payload: unknown) => void {
  const { events, sync, conversations, mutes, pointers, typing, presences } = deps;
  const handlers: { [E in keyof ServerEvents]?: (payload: ServerEvents[E]) => void } = {
    'conversation:added': ({ conversation }) => sync.handle({ type: 'added', conversation }),
    'conversation:removed': ({ conversationId }) => sync.handle({ type: 'removed', conversationId }),
    'conversation:me': (payload) => {
      pointers.know(payload.conversationId, payload.me);
      conversations.takeMe(payload);
      events.emit('conversation:me', payload);
    },
    'message:starred': (payload) => {
      conversations.takeStar(payload);
      events.emit('message:starred', payload);
    },
    'conversation:muted': (payload) => {
      mutes.take(payload);
      events.emit('conversation:muted', payload);
    },
    receipt: (receipt) => {
      conversations.takeReceipt(receipt);
      events.emit('receipt', receipt);
    },
    typing: (payload) => {
      typing.take(payload);
      events.emit('typing', payload);
    },
    presence: (payload) => {
      presences.take(payload);
      events.emit('presence', payload);
    },
    'media:updated': (payload) => {
      conversations.takeMedia(payload.media);
      events.emit('media:updated', payload);
    },
    'session:revoked': (payload) => events.emit('session:revoked', payload),
    'server:draining': (payload) => events.emit('server:draining', payload),
  };
  return (name, payload) => {
    if (isEntry(payload)) return sync.handle({ type: 'entry', entry: { ...payload, type: name } as Entry });
    if (!Object.hasOwn(handlers, name)) return;
    const handler = handlers[name as keyof ServerEvents] as ((payload: unknown) => void) | undefined;
    handler?.(payload);
  };
}
