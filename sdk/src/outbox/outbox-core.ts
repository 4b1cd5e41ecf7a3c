import { resendDelay } from '../connection/backoff.ts';

/** What the core needs of an operation; it passes it on as it is. */
export type AnyItem = {
  id: string;
  conversationId: string;
  kind: string;
  /** What it changes: a message id, or the id of a send that waits before it. */
  target?: string;
};

export type OutboxInput<I, P> =
  | { type: 'connected' }
  | { type: 'disconnected' }
  | { type: 'add'; item: I }
  /** The platform did it. For a send `messageId` is what the message is called from now on. */
  | { type: 'done'; id: string; messageId?: string }
  /** There was no answer: what became of it is unknown. */
  | { type: 'lost'; id: string }
  | { type: 'refused'; id: string; problem: P; retryable: boolean; retryAfterMs?: number }
  /** The time of an effect `wait` is over. */
  | { type: 'waited'; conversationId: string };

export type OutboxEffect<I, P> =
  /** Ask the platform; the same id each time. */
  | { type: 'attempt'; item: I }
  /** Give `waited` after `ms`. */
  | { type: 'wait'; conversationId: string; ms: number }
  /** What it changes has a name now. */
  | { type: 'retarget'; id: string; target: string }
  /** It is over. */
  | { type: 'resolve'; id: string; messageId?: string }
  | { type: 'reject'; id: string; problem: P };

export type OutboxCore<I, P> = { handle(input: OutboxInput<I, P>): OutboxEffect<I, P>[] };

type Queue<I> = { items: I[]; inFlight: boolean; waiting: boolean; failures: number };

/**
 * The order in which a device asks for what its user wants: one operation of a conversation at a time, each again with
 * the same id until there is a definitive answer, the next only then. A refusal for good also ends what builds on it.
 * Deterministic, as the sync core is.
 */
export function createOutboxCore<I extends AnyItem, P>(items: readonly I[] = []): OutboxCore<I, P> {
  const core = new Core<I, P>(items);
  return { handle: (input) => core.handle(input) };
}

class Core<I extends AnyItem, P> {
  readonly #queues = new Map<string, Queue<I>>();
  #connected = false;
  #effects: OutboxEffect<I, P>[] = [];

  constructor(items: readonly I[]) {
    for (const item of items) this.#queueOf(item.conversationId).items.push(item);
  }

  handle(input: OutboxInput<I, P>): OutboxEffect<I, P>[] {
    this.#effects = [];
    this.#take(input);
    for (const [id, queue] of this.#queues) {
      if (queue.items.length === 0) this.#queues.delete(id);
      else this.#attempt(queue);
    }
    return this.#effects;
  }

  #take(input: OutboxInput<I, P>): void {
    switch (input.type) {
      case 'connected':
        this.#connected = true;
        for (const queue of this.#queues.values()) Object.assign(queue, { waiting: false, failures: 0 });
        return;
      case 'disconnected':
        this.#connected = false;
        // Answers that are still under way will not come.
        for (const queue of this.#queues.values()) queue.inFlight = false;
        return;
      case 'add':
        this.#queueOf(input.item.conversationId).items.push(input.item);
        return;
      case 'done':
        return this.#finish(input.id, input.messageId);
      case 'lost':
        return this.#tryLater(input.id, 0);
      case 'refused':
        if (input.retryable) return this.#tryLater(input.id, input.retryAfterMs ?? 0);
        return this.#refuse(input.id, input.problem);
      case 'waited':
        this.#queueOf(input.conversationId).waiting = false;
    }
  }

  #attempt(queue: Queue<I>): void {
    const [item] = queue.items;
    if (!item || !this.#connected || queue.inFlight || queue.waiting) return;
    queue.inFlight = true;
    this.#effects.push({ type: 'attempt', item });
  }

  #finish(id: string, messageId?: string): void {
    const queue = this.#remove(id);
    if (!queue) return;
    queue.failures = 0;
    this.#effects.push({ type: 'resolve', id, ...(messageId === undefined ? {} : { messageId }) });
    if (messageId === undefined) return;
    queue.items = queue.items.map((item) => {
      if (item.target !== id) return item;
      this.#effects.push({ type: 'retarget', id: item.id, target: messageId });
      return { ...item, target: messageId };
    });
  }

  #refuse(id: string, problem: P): void {
    const queue = this.#remove(id);
    if (!queue) return;
    queue.failures = 0;
    this.#effects.push({ type: 'reject', id, problem });
    for (const { id: dependent } of queue.items.filter(({ target }) => target === id)) this.#refuse(dependent, problem);
  }

  #tryLater(id: string, atLeastMs: number): void {
    const queue = this.#find(id);
    // Answered meanwhile by the log.
    if (!queue?.inFlight || queue.items[0]?.id !== id) return;
    queue.inFlight = false;
    if (!this.#connected) return;
    queue.waiting = true;
    const ms = resendDelay(queue.failures, atLeastMs);
    queue.failures += 1;
    this.#effects.push({ type: 'wait', conversationId: queue.items[0].conversationId, ms });
  }

  /** Takes an operation out of its queue. @returns the queue; undefined when the operation is in none. */
  #remove(id: string): Queue<I> | undefined {
    const queue = this.#find(id);
    if (!queue) return undefined;
    if (queue.items[0]?.id === id) queue.inFlight = false;
    queue.items = queue.items.filter((item) => item.id !== id);
    return queue;
  }

  #find(id: string): Queue<I> | undefined {
    return [...this.#queues.values()].find(({ items }) => items.some((item) => item.id === id));
  }

  #queueOf(conversationId: string): Queue<I> {
    const queue = this.#queues.get(conversationId) ?? { items: [], inFlight: false, waiting: false, failures: 0 };
    this.#queues.set(conversationId, queue);
    return queue;
  }
}
