import type { BluewaveError } from '../bluewave-error.ts';
import { toBluewaveError } from '../bluewave-error.ts';
import type { Conversation, UserSummary } from '../contract.ts';
import type { Clock } from '../environment.ts';
import type { Outbox } from '../outbox/outbox.ts';
import type { Api } from '../rest/api.ts';
import type { Keeper } from '../store/keeper.ts';
import type { Conversations } from './conversations.ts';
import type { HeldMessages } from './reduce-messages.ts';
import { Timeline } from './timeline.ts';

export type OpenConversationsOptions = {
  api: Api;
  clock: Clock;
  keeper: Pick<Keeper, 'read'>;
  conversations(): Conversations;
  outbox(): Pick<Outbox, 'of'>;
  user(): UserSummary | undefined;
  isSynced(): boolean;
  onProblem(error: BluewaveError): void;
};

type Open = { timeline: Timeline; users: number; stopRefresh: (() => void) | undefined };

const pageSize = 50;
/** Receipts of larger conversations come too often to ask what they mean for each message. */
const mostMembers = 100;
const refreshMs = 2_000;

/** The conversations that an app looks at, and what the log does not tell of their messages: receipts and uploads. */
export class OpenConversations {
  readonly #options: OpenConversationsOptions;
  readonly #open = new Map<string, Open>();

  constructor(options: OpenConversationsOptions) {
    this.#options = options;
  }

  /** Opens a conversation, or shares it with whoever has it open. Call `release` for each. */
  acquire(conversationId: string): Timeline {
    const known = this.#open.get(conversationId);
    if (known) {
      known.users += 1;
      return known.timeline;
    }
    const { keeper, conversations, outbox, user, isSynced } = this.#options;
    const timeline = new Timeline({
      read: () => keeper.read(conversationId),
      outbox: () => outbox().of(conversationId),
      user,
      least: () => conversations().least(conversationId),
    });
    this.#open.set(conversationId, { timeline, users: 1, stopRefresh: undefined });
    if (isSynced()) void this.#refresh(conversationId);
    return timeline;
  }

  release(conversationId: string): void {
    const open = this.#open.get(conversationId);
    if (!open) return;
    open.users -= 1;
    if (open.users > 0) return;
    open.stopRefresh?.();
    this.#open.delete(conversationId);
  }

  /** Messages changed. */
  change(conversationId: string, change: (held: HeldMessages) => HeldMessages): void {
    this.#open.get(conversationId)?.timeline.change(change);
  }

  /** The outbox changed. */
  show(conversationId: string): void {
    this.#open.get(conversationId)?.timeline.refresh();
  }

  reset(conversationId: string): void {
    this.#open.get(conversationId)?.timeline.reset();
  }

  /** Others read on. In a group not all of whose members were heard of, only the platform can tell what that means. */
  pointersMoved(conversationId: string): void {
    const open = this.#open.get(conversationId);
    if (!open) return;
    const { conversations, clock } = this.#options;
    open.timeline.refresh();
    if (conversations().knowsPointers(conversationId)) return;
    if ((conversations().get(conversationId)?.conversation.memberCount ?? 0) > mostMembers) return;
    open.stopRefresh ??= clock.after(refreshMs, () => {
      open.stopRefresh = undefined;
      void this.#refresh(conversationId);
    });
  }

  /** After a time without connection. */
  synced(): void {
    for (const id of this.#open.keys()) void this.#refresh(id);
  }

  close(): void {
    for (const { stopRefresh } of this.#open.values()) stopRefresh?.();
  }

  /** @returns whether there is more. @throws BluewaveError */
  async loadOlder(conversationId: string): Promise<boolean> {
    const timeline = this.#open.get(conversationId)?.timeline;
    if (!timeline) return false;
    await timeline.loaded;
    const before = timeline.oldestSeq;
    return this.#page(conversationId, before === undefined ? {} : { before });
  }

  async #refresh(conversationId: string): Promise<void> {
    try {
      await this.#page(conversationId, {});
    } catch (thrown) {
      const error = toBluewaveError(thrown);
      // Offline, or removed from it: sync sees to both.
      if (!error.retryable && error.code !== 'NOT_FOUND') this.#options.onProblem(error);
    }
  }

  async #page(conversationId: string, position: { before?: number }): Promise<boolean> {
    const { api, conversations } = this.#options;
    // The page is at least as new as what is applied now.
    const asOf = conversations().get(conversationId)?.have ?? 0;
    const mark = conversations().starMark;
    const query = { ...position, limit: pageSize };
    const { items, hasBefore } = await api('messagesList', { params: { id: conversationId }, query });
    const keep = position.before === undefined;
    conversations().takeMessages(items, { conversationId, asOf, keep, mark });
    return hasBefore;
  }
}

/** The conversation of an id in a list of them. */
export function findConversation(list: readonly Conversation[], id: string): Conversation | undefined {
  return list.find((one) => one.id === id);
}
