import { toBluewaveError } from '../bluewave-error.ts';
import type { Connection } from '../connection/connection.ts';
import type { Conversation, Entry, SyncAnswer } from '../contract.ts';
import type { Clock } from '../environment.ts';
import { createSyncCore, type SyncCore, type SyncEffect, type SyncInput } from './sync-core.ts';

export type SyncDriverOptions = {
  window: number;
  have: Iterable<readonly [conversationId: string, seq: number]>;
  connection: Pick<Connection, 'ask' | 'restart'>;
  clock: Clock;
  /** What the core decided about conversations and entries, in order. */
  onEffects(effects: readonly Effect[]): void;
  /** Something is asked now; what this returns takes what the answer tells of own stars. */
  onAsk(): (answer: Pick<SyncAnswer, 'starred' | 'starredReset'>) => void;
  onSynced(): void;
};

type Input = SyncInput<Entry, Conversation>;
type Effect = SyncEffect<Entry, Conversation>;

/** A page of a slow link may take this long. */
const answerMs = 20_000;

/** Does what the sync core wants: asks the platform, keeps its timers. */
export class SyncDriver {
  readonly #options: SyncDriverOptions;
  readonly #core: SyncCore<Entry, Conversation>;
  readonly #holds = new Map<string, () => void>();
  #stopRetry: (() => void) | undefined;
  #asking = 0;

  constructor(options: SyncDriverOptions) {
    this.#options = options;
    this.#core = createSyncCore({ window: options.window, have: options.have });
  }

  /** Whether an answer is on its way, which may be large. */
  get isAsking(): boolean {
    return this.#asking > 0;
  }

  heads(): Record<string, number> {
    return this.#core.heads();
  }

  handle(input: Input): void {
    const effects = this.#core.handle(input);
    if (effects.length === 0) return;
    // Asked first: the platform reads the next page while this one is taken in.
    for (const effect of effects) if (effect.type === 'sync') void this.#ask(effect);
    this.#options.onEffects(effects);
    for (const effect of effects) this.#carryOut(effect);
  }

  close(): void {
    for (const cancel of this.#holds.values()) cancel();
    this.#holds.clear();
    this.#stopRetry?.();
  }

  #carryOut(effect: Effect): void {
    const { clock, onSynced } = this.#options;
    switch (effect.type) {
      case 'hold': {
        const { conversationId } = effect;
        this.#release(conversationId);
        const over = (): void => {
          this.#holds.delete(conversationId);
          this.handle({ type: 'holdOver', conversationId });
        };
        this.#holds.set(conversationId, clock.after(effect.ms, over));
        break;
      }
      case 'release':
        this.#release(effect.conversationId);
        break;
      case 'retry':
        this.#stopRetry?.();
        this.#stopRetry = clock.after(effect.ms, () => this.handle({ type: 'retry' }));
        break;
      case 'synced':
        onSynced();
        break;
      case 'sync':
      case 'apply':
      case 'view':
      case 'follow':
      case 'forget':
      // Seen to before, and by `onEffects`.
    }
  }

  #release(conversationId: string): void {
    this.#holds.get(conversationId)?.();
    this.#holds.delete(conversationId);
  }

  async #ask({ request, cursors, token, limit }: Extract<Effect, { type: 'sync' }>): Promise<void> {
    const { connection, onAsk } = this.#options;
    const takeStars = onAsk();
    this.#asking += 1;
    try {
      const payload = { cursors, limit, ...(token === undefined ? {} : { token }) };
      const answer = await connection.ask('sync', payload, answerMs);
      this.#asking -= 1;
      // Before it says that all is synced.
      takeStars(answer);
      this.handle({ type: 'answer', request, answer });
    } catch (error) {
      this.#asking -= 1;
      const { code } = toBluewaveError(error);
      // Too much for this link, or for the platform as busy as it is now.
      this.handle({ type: 'failed', request, slow: code === 'TIMEOUT' || code === 'DEADLINE_EXCEEDED' });
      // What is still on its way would only stand in the way of a smaller page.
      if (code === 'TIMEOUT') connection.restart();
    }
  }
}
