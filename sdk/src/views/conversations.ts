import type { Conversation, Entry, Media, Message, ServerEvents } from '../contract.ts';
import { createValue, type Observable, type Value } from '../observable.ts';
import type { Keeper } from '../store/keeper.ts';
import type { HeldConversation } from '../store/store.ts';
import type { SyncEffect } from '../sync/sync-core.ts';
import type { LeastPointers } from './message-view.ts';
import { Pointers } from './pointers.ts';
import { applyToConversation, lastActivity, readUpTo, takeView } from './reduce-conversation.ts';
import {
  type AppliedEntry,
  applyEntries,
  type HeldMessages,
  markDeleted,
  markStarred,
  markStars,
  mergeMessages,
  updateMedia,
} from './reduce-messages.ts';
import { ToldStars } from './told-stars.ts';

/** What became of the conversations, in the order in which it did. */
export type Happening =
  | { type: 'entry'; entry: Entry; live: boolean }
  | { type: 'added'; conversation: Conversation }
  | { type: 'removed'; conversationId: string; why: 'removed' | 'epoch' };

export type ConversationsOptions = {
  held: readonly HeldConversation[];
  keeper: Pick<Keeper, 'keepConversation' | 'forgetConversation' | 'changeMessages'>;
  userId(): string;
  /** The messages of a conversation change in this way, wherever they are shown. */
  onMessages(conversationId: string, change: (held: HeldMessages) => HeldMessages): void;
  /** The local copy of a conversation is gone. */
  onForget(conversationId: string): void;
  /** In order, and told after all that they follow from is in place. */
  onHappenings(happenings: readonly Happening[]): void;
  /** Others are further than before. */
  onPointers(conversationId: string): void;
};

/** Messages of a conversation, at least as new as `asOf` made them; `keep` those that are to be there after a restart. */
export type MessagesTaken = { conversationId: string; asOf: number; keep: boolean; mark: number };

/** What this device knows of its conversations: takes what sync brings, keeps it, and shows it as a list. */
export class Conversations {
  readonly #options: ConversationsOptions;
  readonly #held = new Map<string, HeldConversation>();
  readonly #list: Value<readonly Conversation[]>;
  readonly #pointers = new Pointers();
  readonly #stars = new ToldStars();
  /** Conversations that are followed but have no view yet, and the seq from which on. */
  readonly #following = new Map<string, number>();

  constructor(options: ConversationsOptions) {
    this.#options = options;
    for (const one of options.held) this.#held.set(one.id, one);
    this.#list = createValue<readonly Conversation[]>(this.#sorted());
  }

  /** Last activity first; pinned ones before the others. */
  get list(): Observable<readonly Conversation[]> {
    return this.#list;
  }

  get(conversationId: string): HeldConversation | undefined {
    return this.#held.get(conversationId);
  }

  all(): HeldConversation[] {
    return [...this.#held.values()];
  }

  least(conversationId: string): LeastPointers {
    return this.#pointers.least(conversationId, this.#memberCount(conversationId));
  }

  /** Takes over what the sync core decided. */
  take(effects: readonly SyncEffect<Entry, Conversation>[]): void {
    const happenings: Happening[] = [];
    const applied = new Map<string, AppliedEntry[]>();
    for (const effect of effects) {
      switch (effect.type) {
        case 'follow':
          this.#following.set(effect.conversationId, effect.have);
          break;
        case 'view':
          if (this.#view(effect.conversation)) happenings.push({ type: 'added', conversation: effect.conversation });
          break;
        case 'apply':
          this.#apply(effect.entry, effect.live, applied);
          happenings.push({ type: 'entry', entry: effect.entry, live: effect.live });
          break;
        case 'forget':
          applied.delete(effect.conversationId);
          this.#forget(effect.conversationId);
          happenings.push({ type: 'removed', conversationId: effect.conversationId, why: effect.why });
          break;
        default:
        // The rest is for whoever drives the core.
      }
    }
    for (const [id, entries] of applied) this.#applyToMessages(id, entries);
    if (happenings.length > 0 || effects.some(({ type }) => type === 'view')) this.#show();
    if (happenings.length > 0) this.#options.onHappenings(happenings);
  }

  /** A view that came otherwise than by sync; of a conversation that is not followed it says nothing. */
  takeView(conversation: Conversation): void {
    if (!this.#held.has(conversation.id)) return;
    this.#view(conversation);
    this.#show();
  }

  takeMe({ conversationId, me }: ServerEvents['conversation:me']): void {
    this.#update(conversationId, (held) => ({
      ...held,
      conversation: takeView(held.conversation, { ...held.conversation, me }),
    }));
  }

  takeReceipt(receipt: ServerEvents['receipt']): void {
    const { conversationId, userId, deliveredSeq, readSeq } = receipt;
    if (userId === this.#options.userId()) {
      // Another device of this user read on.
      return this.want(conversationId, { readSeq, deliveredSeq });
    }
    this.#pointers.take(receipt);
    this.#options.onPointers(conversationId);
  }

  /** What was told of own stars by now; for `takeMessages`, `takeStar` and `takeStars`. */
  get starMark(): number {
    return this.#stars.mark;
  }

  /**
   * An own star, put on or taken away on any device of this user.
   *
   * @param mark the `starMark` when this was asked for; without it, it is told now
   * @returns whether it is news
   */
  takeStar({ messageId, on }: ServerEvents['message:starred'], mark = this.#stars.mark): boolean {
    const conversationId = messageId.slice(0, messageId.lastIndexOf(':'));
    if (!this.#held.has(conversationId) || this.#stars.since(mark, messageId) !== undefined) return false;
    this.#stars.tell(messageId, on);
    this.#star(conversationId, (held) => markStarred(held, messageId, on));
    return true;
  }

  /** All own stars, or the last ones, as they were when `mark` was the `starMark`. */
  takeStars({ ids, isComplete, mark }: { ids: ReadonlySet<string>; isComplete: boolean; mark: number }): void {
    const isStarred = ({ id, starred }: Message): boolean =>
      this.#stars.since(mark, id) ?? (ids.has(id) || (!isComplete && starred));
    for (const id of this.#held.keys()) this.#star(id, (held) => markStars(held, isStarred));
  }

  takeMedia(media: Media): void {
    for (const { id } of this.#held.values()) {
      this.#options.onMessages(id, (messages) => updateMedia(messages, media));
    }
  }

  /** Messages that came otherwise than by the log, such as a page of history; asked for when `mark` was the `starMark`. */
  takeMessages(messages: readonly Message[], { conversationId, asOf, keep, mark }: MessagesTaken): void {
    if (!this.#held.has(conversationId)) return;
    const incoming = messages.map((message) => ({
      message: this.#stars.over(mark, message),
      asOf: Math.max(asOf, message.seq),
    }));
    const merge = (held: HeldMessages): HeldMessages => mergeMessages(held, incoming);
    this.#options.onMessages(conversationId, merge);
    if (keep) this.#options.keeper.changeMessages(conversationId, merge);
  }

  /** A deletion that the platform has acknowledged; its entry is on its way. */
  takeDeletion(conversationId: string, messageId: string, at: string): void {
    const change = (held: HeldMessages): HeldMessages => markDeleted(held, messageId, at);
    this.#options.onMessages(conversationId, change);
    this.#options.keeper.changeMessages(conversationId, change);
  }

  /** Whether every other member's pointers are known here. */
  knowsPointers(conversationId: string): boolean {
    return this.#pointers.isComplete(conversationId, this.#memberCount(conversationId));
  }

  /** Moves this device's own pointers forward, before the platform knows. */
  want(conversationId: string, pointers: { readSeq?: number; deliveredSeq?: number }): void {
    this.#update(conversationId, (held) => {
      const readSeq = Math.max(held.wanted.readSeq, pointers.readSeq ?? 0);
      const deliveredSeq = Math.max(held.wanted.deliveredSeq, pointers.deliveredSeq ?? 0, readSeq);
      if (readSeq === held.wanted.readSeq && deliveredSeq === held.wanted.deliveredSeq) return held;
      return { ...held, wanted: { readSeq, deliveredSeq }, conversation: readUpTo(held.conversation, readSeq) };
    });
  }

  #update(conversationId: string, change: (held: HeldConversation) => HeldConversation): void {
    const held = this.#held.get(conversationId);
    const changed = held && change(held);
    if (!changed || changed === held) return;
    this.#put(changed);
    this.#show();
  }

  #star(conversationId: string, change: (held: HeldMessages) => HeldMessages): void {
    this.#options.onMessages(conversationId, change);
    this.#options.keeper.changeMessages(conversationId, change);
    this.#update(conversationId, (held) => withStarOfLast(held, change));
  }

  #put(held: HeldConversation): void {
    this.#held.set(held.id, held);
    this.#options.keeper.keepConversation(held);
  }

  /** @returns whether the conversation is new. */
  #view(told: Conversation): boolean {
    const { id, me, lastMessage } = told;
    // It may have been read before a star was told.
    const conversation = lastMessage ? { ...told, lastMessage: this.#stars.over(0, lastMessage) } : told;
    const held = this.#held.get(id);
    if (held) {
      const taken = takeView(held.conversation, conversation);
      this.#put({ ...held, conversation: readUpTo(taken, held.wanted.readSeq) });
      return false;
    }
    const wanted = { readSeq: me.readSeq, deliveredSeq: me.deliveredSeq };
    this.#put({ id, have: this.#following.get(id) ?? 0, conversation, wanted });
    this.#following.delete(id);
    return true;
  }

  #apply(entry: Entry, live: boolean, applied: Map<string, AppliedEntry[]>): void {
    const held = this.#held.get(entry.conversationId);
    if (!held) return;
    // What sync brings shows all that had happened up to the head it told.
    const asOf = live ? entry.seq : Math.max(entry.seq, held.conversation.head);
    const entries = applied.get(held.id) ?? [];
    applied.set(held.id, entries);
    entries.push({ entry: this.#withStar(entry), asOf });
    const conversation = applyToConversation(held.conversation, entry, this.#options.userId());
    this.#held.set(held.id, { ...held, have: entry.seq, conversation });
  }

  /** A page of sync may have been read before a star was told. */
  #withStar(entry: Entry): Entry {
    return entry.type === 'message:new' ? { ...entry, message: this.#stars.over(0, entry.message) } : entry;
  }

  #applyToMessages(conversationId: string, entries: readonly AppliedEntry[]): void {
    const held = this.#held.get(conversationId);
    if (!held) return;
    const userId = this.#options.userId();
    const change = (messages: HeldMessages): HeldMessages => applyEntries(messages, entries, userId);
    this.#options.keeper.keepConversation(held);
    this.#options.keeper.changeMessages(conversationId, change);
    this.#options.onMessages(conversationId, change);
  }

  #forget(conversationId: string): void {
    this.#held.delete(conversationId);
    this.#following.delete(conversationId);
    this.#pointers.forget(conversationId);
    this.#options.keeper.forgetConversation(conversationId);
    this.#options.onForget(conversationId);
  }

  #memberCount(conversationId: string): number {
    return this.#held.get(conversationId)?.conversation.memberCount ?? Infinity;
  }

  #show(): void {
    this.#list.set(this.#sorted());
  }

  #sorted(): Conversation[] {
    return [...this.#held.values()]
      .map(({ conversation }) => ({ conversation, at: lastActivity(conversation) }))
      .sort((one, other) => compare(one, other))
      .map(({ conversation }) => conversation);
  }
}

type Dated = { conversation: Conversation; at: string };

function compare(one: Dated, other: Dated): number {
  if (one.conversation.me.pinned !== other.conversation.me.pinned) return one.conversation.me.pinned ? -1 : 1;
  if (one.at !== other.at) return one.at < other.at ? 1 : -1;
  return one.conversation.id < other.conversation.id ? -1 : 1;
}

/** The message that a list shows is changed as those of the conversation are. */
function withStarOfLast(held: HeldConversation, change: (messages: HeldMessages) => HeldMessages): HeldConversation {
  const { lastMessage } = held.conversation;
  const changed = lastMessage && change([{ message: lastMessage, asOf: 0 }])[0]?.message;
  if (!changed || changed === lastMessage) return held;
  return { ...held, conversation: { ...held.conversation, lastMessage: changed } };
}
