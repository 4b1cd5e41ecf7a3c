import { AppError } from '@bluewave/errors/app-error';
import type { Clock } from '@bluewave/runtime/clock';
import { LRUCache } from 'lru-cache';

export type Pointers = { readSeq: number; deliveredSeq: number };
export type PointerMove = { conversationId: string; userId: string } & Pointers & {
    /** When they moved, milliseconds since the epoch; undefined for one that stays. */
    readAt?: number;
    deliveredAt?: number;
  };

export type PointerStore = {
  /** Moves pointers forward, never back, majority-committed. Members only: others are left alone. */
  advance(moves: readonly PointerMove[]): Promise<void>;
};

export type PointerWriterOptions = {
  store: PointerStore;
  clock: Clock;
  /** Called after a pointer moved and the move is durable. */
  onMoved(move: PointerMove): void;
  /** Users whose pointers are remembered, so that moves that change nothing cost nothing. */
  remembered: number;
};

type Waiting = { move: PointerMove; settle: ((error?: unknown) => void)[] };

/**
 * Moves read and delivered pointers in batches: what is asked while a batch is in flight gathers, and the furthest
 * position of a member stands for all of that member's.
 */
export class PointerWriter {
  readonly #options: PointerWriterOptions;
  readonly #known: LRUCache<string, Pointers>;
  #waiting = new Map<string, Waiting>();
  #flushing: Promise<void> | undefined;

  constructor(options: PointerWriterOptions) {
    this.#options = options;
    this.#known = new LRUCache({ max: options.remembered });
  }

  /** Whether the member's pointers are remembered. */
  knows(conversationId: string, userId: string): boolean {
    return this.#known.has(keyOf({ conversationId, userId }));
  }

  /** Remembers pointers as they were read. */
  note({ conversationId, userId, readSeq, deliveredSeq }: PointerMove): void {
    this.#remember(keyOf({ conversationId, userId }), { readSeq, deliveredSeq });
  }

  /** @returns the member's pointers once the move is durable; reading implies delivery. */
  async advance(asked: PointerMove): Promise<Pointers> {
    const key = keyOf(asked);
    const known = this.#known.get(key) ?? { readSeq: 0, deliveredSeq: 0 };
    const readSeq = Math.max(asked.readSeq, known.readSeq);
    const deliveredSeq = Math.max(asked.deliveredSeq, readSeq, known.deliveredSeq);
    if (readSeq > known.readSeq || deliveredSeq > known.deliveredSeq) {
      const { conversationId, userId } = asked;
      const at = this.#options.clock();
      await this.#enqueue(key, {
        ...{ conversationId, userId, readSeq, deliveredSeq },
        ...(readSeq > known.readSeq ? { readAt: at } : {}),
        ...(deliveredSeq > known.deliveredSeq ? { deliveredAt: at } : {}),
      });
    }
    return { readSeq, deliveredSeq };
  }

  /** Waits until what was asked for is written or has failed. */
  async close(): Promise<void> {
    while (this.#flushing) await this.#flushing;
  }

  #enqueue(key: string, move: PointerMove): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (error?: unknown): void => (error === undefined ? resolve() : reject(error));
      const waiting = this.#waiting.get(key);
      if (waiting) {
        waiting.move.readSeq = Math.max(waiting.move.readSeq, move.readSeq);
        waiting.move.deliveredSeq = Math.max(waiting.move.deliveredSeq, move.deliveredSeq);
        if (move.readAt !== undefined) waiting.move.readAt = move.readAt;
        if (move.deliveredAt !== undefined) waiting.move.deliveredAt = move.deliveredAt;
        waiting.settle.push(settle);
      } else this.#waiting.set(key, { move, settle: [settle] });
      this.#flushing ??= this.#flush();
    });
  }

  #remember(key: string, { readSeq, deliveredSeq }: Pointers): void {
    const known = this.#known.get(key) ?? { readSeq: 0, deliveredSeq: 0 };
    this.#known.set(key, {
      readSeq: Math.max(known.readSeq, readSeq),
      deliveredSeq: Math.max(known.deliveredSeq, deliveredSeq),
    });
  }

  async #flush(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiting.size > 0) {
      const batch = this.#waiting;
      this.#waiting = new Map();
      let failure: unknown;
      try {
        await this.#options.store.advance([...batch.values()].map(({ move }) => move));
      } catch (error) {
        failure = new AppError('UNAVAILABLE', 'The position could not be stored. Try again.', {
          cause: error,
          retryAfterMs: 500,
        });
      }
      for (const [key, { move, settle }] of batch) {
        if (failure === undefined) {
          this.#remember(key, move);
          this.#options.onMoved(move);
        }
        for (const done of settle) done(failure);
      }
    }
    // In the same turn as the last look at what waits: what comes later begins a flush of its own.
    this.#flushing = undefined;
  }
}

function keyOf({ conversationId, userId }: { conversationId: string; userId: string }): string {
  return `${conversationId}/${userId}`;
}
