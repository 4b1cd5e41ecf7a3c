import type { UserSummary } from '../contract.ts';
import { createValue, type Observable, type Value } from '../observable.ts';
import type { OutboxItem } from '../store/store.ts';
import { createMessageViews, type LeastPointers, type MessageView } from './message-view.ts';
import type { HeldMessages } from './reduce-messages.ts';

export type TimelineOptions = {
  /** The messages kept on this device. */
  read(): Promise<HeldMessages>;
  outbox(): readonly OutboxItem[];
  user(): UserSummary | undefined;
  least(): LeastPointers;
};

/** The messages of a conversation that an app looks at. Pages of older ones stay as long as it does. */
export class Timeline {
  readonly #options: TimelineOptions;
  readonly #messages: Value<readonly MessageView[]>;
  /** Changes that came while the kept messages were read. */
  #early: ((held: HeldMessages) => HeldMessages)[] | undefined = [];
  #held: HeldMessages = [];
  #loaded: Promise<void>;

  constructor(options: TimelineOptions) {
    this.#options = options;
    this.#messages = createValue<readonly MessageView[]>([]);
    this.#loaded = this.#load();
  }

  get messages(): Observable<readonly MessageView[]> {
    return this.#messages;
  }

  /** Resolves when the messages kept on this device are shown. */
  get loaded(): Promise<void> {
    return this.#loaded;
  }

  /** Seq of the oldest message here; undefined without any. */
  get oldestSeq(): number | undefined {
    return this.#held[0]?.message.seq;
  }

  get held(): HeldMessages {
    return this.#held;
  }

  change(change: (held: HeldMessages) => HeldMessages): void {
    this.#early?.push(change);
    const changed = change(this.#held);
    if (changed === this.#held) return;
    this.#held = changed;
    this.refresh();
  }

  /** Forgets all messages. */
  reset(): void {
    this.#early = undefined;
    this.#held = [];
    this.refresh();
  }

  /** Shows what changed elsewhere: in the outbox, in pointers. */
  refresh(): void {
    const { outbox, user, least } = this.#options;
    const views = createMessageViews(this.#held, outbox(), user(), least());
    this.#messages.set(keepSame(this.#messages.get(), views));
  }

  async #load(): Promise<void> {
    const kept = await this.#options.read();
    // Each change leaves alone what already shows it, so it does not matter which of them the kept messages have.
    if (this.#early) this.#held = this.#early.reduce((held, change) => change(held), kept);
    this.#early = undefined;
    this.refresh();
  }
}

/** The new views, with every one that shows the same as before being the same object: then nothing is drawn again. */
function keepSame(before: readonly MessageView[], views: readonly MessageView[]): readonly MessageView[] {
  const known = new Map(before.map((view) => [view.key, view]));
  const kept = views.map((view) => {
    const same = known.get(view.key);
    return same && isSame(same, view) ? same : view;
  });
  return kept.length === before.length && kept.every((view, at) => view === before[at]) ? before : kept;
}

function isSame(one: MessageView, other: MessageView): boolean {
  const keys = Object.keys(other) as (keyof MessageView)[];
  return keys.length === Object.keys(one).length && keys.every((key) => same(one[key], other[key]));
}

/** Fields without anything in them are the same, whoever made them. */
function same(one: unknown, other: unknown): boolean {
  return one === other || (isEmpty(one) && isEmpty(other));
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}
