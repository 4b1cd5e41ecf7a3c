import type { BluewaveError } from './bluewave-error.ts';
import type { Conversation, Entry, ServerEvents } from './contract.ts';
import { createSignal, type Signal } from './observable.ts';

/** Entries by their type, each of a conversation once and in the order of its log. */
type EntryEvents = { [T in Entry['type']]: Extract<Entry, { type: T }> };

/** What a client tells, by name. */
export type ClientEventMap = EntryEvents &
  Pick<
    ServerEvents,
    | 'receipt'
    | 'typing'
    | 'presence'
    | 'media:updated'
    | 'conversation:me'
    | 'conversation:muted'
    | 'message:starred'
    | 'server:draining'
    | 'session:revoked'
  > & {
    /** Every entry. `live`: it came as it happened, rather than by catching up. */
    entry: { entry: Entry; live: boolean };
    /** This user is in a conversation that this device did not know. */
    'conversation:added': { conversation: Conversation };
    /**
     * A conversation is gone from this device: this user was removed from it, or its log began anew (`epoch`). When
     * there is one again, its entries come from the beginning of what this device takes over.
     */
    'conversation:removed': { conversationId: string; why: 'removed' | 'epoch' };
    /** Everything that happened before this moment is here. */
    synced: Record<string, never>;
    /** Something failed that nobody asked for, such as writing to the store. */
    problem: BluewaveError;
  };

export type ClientEventName = keyof ClientEventMap;

export type ClientEventSource = {
  emit<E extends ClientEventName>(name: E, payload: ClientEventMap[E]): void;
  /** @returns what ends it. */
  on<E extends ClientEventName>(name: E, listener: (payload: ClientEventMap[E]) => void): () => void;
};

export function createClientEvents(): ClientEventSource {
  const signals = new Map<ClientEventName, Signal<unknown>>();
  return {
    emit: (name, payload) => signals.get(name)?.emit(payload),
    on(name, listener) {
      const signal = signals.get(name) ?? createSignal<unknown>();
      signals.set(name, signal);
      return signal.listen(listener as (payload: unknown) => void);
    },
  };
}
