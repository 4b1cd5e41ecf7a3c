import { toBluewaveError } from '../bluewave-error.ts';
import type { Connection } from '../connection/connection.ts';
import type { Clock } from '../environment.ts';
import type { HeldConversation } from '../store/store.ts';

export type PointerSenderOptions = {
  connection: Pick<Connection, 'ask'>;
  clock: Clock;
  get(conversationId: string): HeldConversation | undefined;
  all(): readonly HeldConversation[];
};

type Told = { readSeq: number; deliveredSeq: number };

/** Moves within this time are told as one. */
const gatherMs = 250;
const retryMs = 2_000;
const answerMs = 8_000;

/** Tells the platform how far this user has received and read, some moments together, until it knows. */
export class PointerSender {
  readonly #options: PointerSenderOptions;
  readonly #told = new Map<string, Told>();
  readonly #dirty = new Set<string>();
  #stop: (() => void) | undefined;
  #connected = false;

  constructor(options: PointerSenderOptions) {
    this.#options = options;
  }

  /** What the platform knows, by its own word. */
  know(conversationId: string, { readSeq, deliveredSeq }: Told): void {
    const told = this.#told.get(conversationId);
    this.#told.set(conversationId, {
      readSeq: Math.max(readSeq, told?.readSeq ?? 0),
      deliveredSeq: Math.max(deliveredSeq, told?.deliveredSeq ?? 0),
    });
  }

  forget(conversationId: string): void {
    this.#told.delete(conversationId);
    this.#dirty.delete(conversationId);
  }

  /** The pointers of a conversation were moved here. */
  moved(conversationId: string): void {
    this.#dirty.add(conversationId);
    if (this.#connected) this.#soon(gatherMs);
  }

  /** Everything is known of what the platform holds: what it does not know is told. */
  synced(): void {
    this.#connected = true;
    for (const { id } of this.#options.all()) this.#dirty.add(id);
    this.#soon(gatherMs);
  }

  disconnected(): void {
    this.#connected = false;
    this.close();
  }

  close(): void {
    this.#stop?.();
    this.#stop = undefined;
  }

  #soon(ms: number): void {
    this.#stop ??= this.#options.clock.after(ms, () => {
      this.#stop = undefined;
      const ids = [...this.#dirty];
      this.#dirty.clear();
      for (const id of ids) void this.#tell(id);
    });
  }

  async #tell(conversationId: string): Promise<void> {
    const { get, connection } = this.#options;
    const wanted = get(conversationId)?.wanted;
    if (!wanted) return;
    const told = this.#told.get(conversationId) ?? { readSeq: 0, deliveredSeq: 0 };
    const { readSeq, deliveredSeq } = wanted;
    try {
      if (readSeq > told.readSeq) {
        await connection.ask('message:read', { conversationId, seq: readSeq }, answerMs);
        this.know(conversationId, { readSeq, deliveredSeq: readSeq });
      }
      // Reading is receiving.
      if (deliveredSeq > Math.max(told.deliveredSeq, readSeq)) {
        await connection.ask('message:delivered', { conversationId, seq: deliveredSeq }, answerMs);
        this.know(conversationId, { readSeq: 0, deliveredSeq });
      }
    } catch (error) {
      // A refusal for good means that the conversation is gone; while offline the next connection tells.
      if (!toBluewaveError(error).retryable || !this.#connected) return;
      this.#dirty.add(conversationId);
      this.#soon(retryMs);
    }
  }
}
