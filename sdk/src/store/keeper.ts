import { BluewaveError } from '../bluewave-error.ts';
import type { Clock } from '../environment.ts';
import type { HeldMessages } from '../views/reduce-messages.ts';
import type { HeldConversation, OutboxItem, Store, StoreBatch } from './store.ts';

export type KeeperOptions = {
  store: Store;
  clock: Clock;
  /** Messages kept of each conversation. */
  kept: number;
  onProblem(error: BluewaveError): void;
};

type MessageChange = (held: HeldMessages) => HeldMessages;

/** What is to be written next; changes of the same thing gather. */
type Pending = {
  conversations: Map<string, HeldConversation>;
  messages: Map<string, { fresh: boolean; changes: MessageChange[] }>;
  gone: Set<string>;
  outbox: Map<string, OutboxItem>;
  goneOutbox: Set<string>;
  values: Map<string, string>;
  /** Told after the first attempt to write. */
  waiting: (() => void)[];
};

const firstRetryMs = 1_000;
const lastRetryMs = 30_000;

/**
 * Writes changes behind: what comes while a write is under way becomes one atomic batch, so the last seq of a
 * conversation is never kept without its messages. While the store fails, the same batch is tried again.
 */
export class Keeper {
  readonly #options: KeeperOptions;
  #pending = newPending();
  #running: Promise<void> | undefined;
  #stopWaiting: (() => void) | undefined;
  #closed = false;

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  keepConversation(conversation: HeldConversation): void {
    this.#pending.conversations.set(conversation.id, conversation);
    this.#start();
  }

  /** Changes the kept messages of a conversation. `change` may run more than once. */
  changeMessages(conversationId: string, change: MessageChange): void {
    const { messages, gone } = this.#pending;
    const fresh = gone.has(conversationId);
    const entry = messages.get(conversationId) ?? { fresh, changes: [] };
    messages.set(conversationId, entry);
    entry.changes.push(change);
    this.#start();
  }

  forgetConversation(conversationId: string): void {
    this.#pending.conversations.delete(conversationId);
    this.#pending.messages.delete(conversationId);
    this.#pending.gone.add(conversationId);
    this.#start();
  }

  keepOutbox(item: OutboxItem): void {
    this.#pending.outbox.set(item.id, item);
    this.#start();
  }

  dropOutbox(id: string): void {
    this.#pending.outbox.delete(id);
    this.#pending.goneOutbox.add(id);
    this.#start();
  }

  keepValue(name: string, value: string): void {
    this.#pending.values.set(name, value);
    this.#start();
  }

  /** Resolves when everything given so far is kept, or the store has failed to. */
  settled(): Promise<void> {
    if (!this.#running) return Promise.resolve();
    return new Promise((resolve) => {
      this.#pending.waiting.push(resolve);
    });
  }

  /** The kept messages of a conversation, with every change given so far. */
  async read(conversationId: string): Promise<HeldMessages> {
    await this.settled();
    try {
      return await this.#options.store.messages(conversationId);
    } catch (error) {
      this.#tell(error);
      return [];
    }
  }

  /** Writes what waits, then closes the store; empties it first when it shall be cleared. */
  async close(clear = false): Promise<void> {
    await this.settled();
    this.#closed = true;
    this.#stopWaiting?.();
    await this.#running;
    if (clear) await this.#options.store.clear();
    await this.#options.store.close();
  }

  #start(): void {
    if (!this.#closed) this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    // What is given in this turn belongs together.
    await Promise.resolve();
    while (isSomething(this.#pending) && !this.#closed) {
      const batch = this.#pending;
      this.#pending = newPending();
      for (let attempt = 0; !this.#closed && !(await this.#write(batch)); attempt += 1) {
        this.#release(batch);
        this.#release(this.#pending);
        await this.#pause(Math.min(lastRetryMs, firstRetryMs * 2 ** Math.min(attempt, 10)));
      }
      this.#release(batch);
    }
    this.#release(this.#pending);
    // In the same turn as the last look at what waits: what comes later begins a run of its own.
    this.#running = undefined;
  }

  async #write(pending: Pending): Promise<boolean> {
    try {
      await this.#options.store.write(await this.#batchOf(pending));
      return true;
    } catch (error) {
      this.#tell(error);
      return false;
    }
  }

  async #batchOf(pending: Pending): Promise<StoreBatch> {
    const { store, kept } = this.#options;
    const messages: StoreBatch['messages'] = [];
    for (const [conversationId, { fresh, changes }] of pending.messages) {
      let held: HeldMessages = fresh ? [] : await store.messages(conversationId);
      for (const change of changes) held = change(held);
      messages.push({ conversationId, messages: held.slice(-kept) });
    }
    return {
      conversations: [...pending.conversations.values()],
      messages,
      outbox: [...pending.outbox.values()],
      values: [...pending.values].map(([name, value]) => ({ name, value })),
      goneConversations: [...pending.gone],
      goneOutbox: [...pending.goneOutbox],
    };
  }

  #release(pending: Pending): void {
    for (const done of pending.waiting.splice(0)) done();
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(ms, resolve);
      this.#stopWaiting = () => {
        cancel();
        resolve();
      };
    });
  }

  #tell(cause: unknown): void {
    const message = 'What happened could not be kept on this device.';
    this.#options.onProblem(new BluewaveError('STORE_FAILED', message, { retryable: true, cause }));
  }
}

function newPending(): Pending {
  return {
    conversations: new Map(),
    messages: new Map(),
    gone: new Set(),
    outbox: new Map(),
    goneOutbox: new Set(),
    values: new Map(),
    waiting: [],
  };
}

function isSomething({ conversations, messages, gone, outbox, goneOutbox, values }: Pending): boolean {
  return [conversations, messages, gone, outbox, goneOutbox, values].some(({ size }) => size > 0);
}
