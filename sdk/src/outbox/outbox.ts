import { BluewaveError, closed, toBluewaveError } from '../bluewave-error.ts';
import type { Message } from '../contract.ts';
import { type Environment, newUuid } from '../environment.ts';
import { needsNewToken } from '../rest/api.ts';
import type { Keeper } from '../store/keeper.ts';
import type { HeldProblem, MessageBody, OutboxItem } from '../store/store.ts';
import { createOutboxCore, type OutboxCore, type OutboxEffect } from './outbox-core.ts';

export type OutboxOptions = {
  items: readonly OutboxItem[];
  keeper: Pick<Keeper, 'keepOutbox' | 'dropOutbox' | 'settled'>;
  environment: Environment;
  /** Asks the platform. @returns the message as it is afterwards; nothing for a deletion. */
  perform(item: OutboxItem): Promise<Message | undefined>;
  /** A message as the platform knows it from now on. Called before the promise of its operation resolves. */
  onMessage(message: Message): void;
  /** What `of` answers is different. */
  onChange(conversationId: string): void;
};

type Effect = OutboxEffect<OutboxItem, BluewaveError>;
type Promised = { resolve(message: Message | undefined): void; reject(error: BluewaveError): void };

type NewItem =
  | { kind: 'send'; conversationId: string; body: MessageBody }
  | { kind: 'edit'; conversationId: string; target: string; text: string; mentions?: string[] }
  | { kind: 'delete'; conversationId: string; target: string };

/** Ids of sent messages that are remembered. */
const maxSent = 1_000;

/** Carries out what the user wants, in order for each conversation, through disconnections and restarts. */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #core: OutboxCore<OutboxItem, BluewaveError>;
  /** All of them, also those that were refused and wait for the user. */
  readonly #items = new Map<string, OutboxItem>();
  readonly #promised = new Map<string, Promised>();
  readonly #timers = new Map<string, () => void>();
  readonly #results = new Map<string, Message>();
  /** What recent sends of this client are called now: apps may still know them by their key alone. */
  readonly #sent = new Map<string, string>();
  #closed = false;
  /** The connection that answers count for. */
  #era = 0;
  #order = 0;

  constructor(options: OutboxOptions) {
    this.#options = options;
    for (const item of options.items) {
      this.#items.set(item.id, item);
      this.#order = Math.max(this.#order, item.order);
    }
    this.#core = createOutboxCore(options.items.filter(({ problem }) => !problem));
  }

  /** Operations of a conversation that are not answered for good, and failed sends; in order. */
  of(conversationId: string): OutboxItem[] {
    return [...this.#items.values()]
      .filter((item) => item.conversationId === conversationId)
      .sort((one, other) => one.order - other.order);
  }

  find(id: string): OutboxItem | undefined {
    return this.#items.get(id);
  }

  /** The message that a send of this client became, also when it is shown no longer. */
  messageIdOf(id: string): string | undefined {
    return this.#sent.get(id);
  }

  /** @returns the operation, kept from now on, and what becomes of it. @throws CLOSED */
  add(given: NewItem): { item: OutboxItem; done: Promise<Message | undefined> } {
    if (this.#closed) throw closed();
    const { random, clock } = this.#options.environment;
    this.#order += 1;
    const createdAt = new Date(clock.now()).toISOString();
    const item: OutboxItem = { ...given, id: newUuid(random), order: this.#order, createdAt };
    const done = new Promise<Message | undefined>((resolve, reject) => {
      this.#promised.set(item.id, { resolve, reject });
    });
    // Callers may prefer to watch the message's status; a failure then is not unhandled.
    done.catch(() => undefined);
    this.#keep(item);
    this.#carryOut(this.#core.handle({ type: 'add', item }));
    return { item, done };
  }

  connected(): void {
    this.#carryOut(this.#core.handle({ type: 'connected' }));
  }

  disconnected(): void {
    this.#era += 1;
    this.#carryOut(this.#core.handle({ type: 'disconnected' }));
  }

  /** The log shows an own message: its send is done, whatever became of the acknowledgement. */
  saw(message: Message): void {
    if (this.#items.get(message.clientMsgId)?.kind !== 'send') return;
    this.#done(message.clientMsgId, message);
  }

  /** Takes a failed send away. */
  discard(id: string): void {
    const item = this.#items.get(id);
    if (item?.problem) this.#drop(item);
  }

  /** Ends all promises; what is kept goes on with the next client. */
  close(): void {
    this.#closed = true;
    this.disconnected();
    for (const cancel of this.#timers.values()) cancel();
    for (const { reject } of this.#promised.values()) reject(closed());
    this.#promised.clear();
  }

  #carryOut(effects: Effect[]): void {
    for (const effect of effects) {
      switch (effect.type) {
        case 'attempt':
          void this.#attempt(effect.item, this.#era);
          break;
        case 'wait':
          this.#wait(effect.conversationId, effect.ms);
          break;
        case 'retarget':
          this.#retarget(effect.id, effect.target);
          break;
        case 'resolve':
          this.#resolve(effect.id);
          break;
        case 'reject':
          this.#reject(effect.id, effect.problem);
      }
    }
  }

  async #attempt(item: OutboxItem, era: number): Promise<void> {
    // First durable, then sent: what the platform may have must not be forgotten here.
    await this.#options.keeper.settled();
    if (era !== this.#era) return;
    try {
      this.#done(item.id, await this.#options.perform(item));
    } catch (thrown) {
      if (era === this.#era) this.#failed(item, toBluewaveError(thrown));
    }
  }

  #done(id: string, message: Message | undefined): void {
    if (message) this.#results.set(id, message);
    this.#carryOut(this.#core.handle({ type: 'done', id, ...(message ? { messageId: message.id } : {}) }));
    this.#results.delete(id);
  }

  #failed({ id }: OutboxItem, error: BluewaveError): void {
    const unknown = error.code === 'OFFLINE' || error.code === 'TIMEOUT' || error.code === 'SIGNED_OUT';
    if (unknown || needsNewToken(error)) return this.#carryOut(this.#core.handle({ type: 'lost', id }));
    const { retryable, retryAfterMs } = error;
    const after = retryAfterMs === undefined ? {} : { retryAfterMs };
    this.#carryOut(this.#core.handle({ type: 'refused', id, problem: error, retryable, ...after }));
  }

  #wait(conversationId: string, ms: number): void {
    const { clock, random } = this.#options.environment;
    this.#timers.get(conversationId)?.();
    const spread = ms * (1 + random() * 0.2);
    const cancel = clock.after(spread, () => {
      this.#timers.delete(conversationId);
      this.#carryOut(this.#core.handle({ type: 'waited', conversationId }));
    });
    this.#timers.set(conversationId, cancel);
  }

  #retarget(id: string, target: string): void {
    const item = this.#items.get(id);
    if (item && item.kind !== 'send') this.#keep({ ...item, target });
  }

  #resolve(id: string): void {
    const item = this.#items.get(id);
    const message = this.#results.get(id);
    if (!item) return;
    if (message) this.#options.onMessage(message);
    if (message && item.kind === 'send') this.#remember(id, message.id);
    this.#drop(item);
    this.#promised.get(id)?.resolve(message);
    this.#promised.delete(id);
  }

  #remember(id: string, messageId: string): void {
    this.#sent.set(id, messageId);
    const [oldest] = this.#sent.keys();
    if (this.#sent.size > maxSent && oldest !== undefined) this.#sent.delete(oldest);
  }

  #reject(id: string, error: BluewaveError): void {
    const item = this.#items.get(id);
    if (!item) return;
    // A refused change is rolled back; a refused message stays for its author to see.
    if (item.kind === 'send') this.#keep({ ...item, problem: problemOf(error) });
    else this.#drop(item);
    this.#promised.get(id)?.reject(error);
    this.#promised.delete(id);
  }

  #keep(item: OutboxItem): void {
    this.#items.set(item.id, item);
    this.#options.keeper.keepOutbox(item);
    this.#options.onChange(item.conversationId);
  }

  #drop({ id, conversationId }: OutboxItem): void {
    this.#items.delete(id);
    this.#options.keeper.dropOutbox(id);
    this.#options.onChange(conversationId);
  }
}

function problemOf({ code, message, retryable, traceId, mutedUntil }: BluewaveError): HeldProblem {
  return { code, message, retryable, traceId, mutedUntil };
}
