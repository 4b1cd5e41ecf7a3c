import type { Conversation } from '@bluewave/api/objects';
import { userEvent } from '@bluewave/events/codec';
import type { BusSubscription, EventBus } from '@bluewave/events/event-bus';
import { subjects } from '@bluewave/events/subjects';
import type { UserEvent } from '@bluewave/protos/generated/bluewave/events/v1/UserEvent';
import type { Logger } from '@bluewave/runtime/logger';
import type { Identity } from '../identity/identity.ts';
import type { ConversationLog, LogEntry } from './conversation-log.ts';
import type { FeedRegistry } from './feed-registry.ts';
import { joinLive } from './join-live.ts';
import { limited } from './limited.ts';
import type { LocalRooms, LocalUser, Membership, PreparedEntry } from './local-user.ts';
import { RecentChanges } from './recent-changes.ts';
import type { Timers } from './timers.ts';

export type LocalMembershipsOptions = {
  bus: EventBus;
  feeds: FeedRegistry<PreparedEntry>;
  chat: ConversationLog;
  rooms: LocalRooms;
  timers: Timers;
  now: () => number;
  log: Logger;
  loadConversation(user: LocalUser, conversationId: string): Promise<Conversation>;
  prepare(entry: LogEntry): PreparedEntry | Promise<PreparedEntry>;
  /** What a user's subject brings besides memberships. */
  onUserEvent(user: LocalUser, event: UserEvent): void;
};

/** The state of a user that only this file changes. */
type Held = LocalUser & {
  subscription: BusSubscription;
  loaded: Promise<void>;
  stopLinger: (() => void) | undefined;
  refreshedAt: number;
};

type LocalConversation = {
  users: Set<Held>;
  /** Those whose entry the feed has yet to come to. */
  waiting: Set<Held>;
  memberCount: number;
};

/** A user who comes back within this time finds everything as it was. */
const lingerMs = 10_000;
const refreshEveryMs = 5_000;
const refreshesAtOnce = 8;

/**
 * Which conversations the users of this gateway are in, exactly as of what their feeds have delivered: who is removed
 * leaves the room before any later entry, who is added hears every entry from that one on.
 */
export class LocalMemberships {
  readonly #options: LocalMembershipsOptions;
  readonly #users = new Map<string, Held>();
  readonly #conversations = new Map<string, LocalConversation>();
  readonly #recent: RecentChanges;
  readonly #limit = limited(refreshesAtOnce);
  readonly #healed: BusSubscription;
  #closed = false;

  constructor(options: LocalMembershipsOptions) {
    this.#options = options;
    this.#recent = new RecentChanges(options.now);
    this.#healed = options.bus.onHealed(() => {
      for (const user of this.#users.values()) this.refresh(user);
    });
  }

  /**
   * Counts a socket of a user in; call `detach` for each. When it resolves, `roomsOf` is complete and stays exact: put
   * the socket into these rooms at once. @throws when memberships cannot be read; the socket is then not counted.
   */
  async attach(identity: Identity): Promise<LocalUser> {
    const user = this.#users.get(identity.userId) ?? this.#open(identity);
    user.identity = identity;
    user.sockets += 1;
    user.stopLinger?.();
    user.stopLinger = undefined;
    try {
      await user.loaded;
      return user;
    } catch (error) {
      user.sockets -= 1;
      throw error;
    }
  }

  /** Counts a socket out. */
  detach(user: LocalUser): void {
    const held = this.#users.get(user.id);
    user.sockets -= 1;
    if (!held || held !== user || held.sockets > 0) return;
    held.stopLinger = this.#options.timers.after(lingerMs, () => this.#close(held));
  }

  /** A user with a socket here. */
  find(userId: string): LocalUser | undefined {
    return this.#users.get(userId);
  }

  /** Every user with a socket here. */
  users(): Iterable<LocalUser> {
    return this.#users.values();
  }

  /** Conversations whose room the user's sockets belong in now. */
  roomsOf(user: LocalUser): string[] {
    return [...user.conversations].filter(([, { state }]) => state === 'joined').map(([id]) => id);
  }

  /** How many members a conversation has, as far as it is known here. */
  memberCountOf(conversationId: string): number {
    return this.#conversations.get(conversationId)?.memberCount ?? 0;
  }

  /** Reads a user's memberships again, when an event may have been lost; not more often than every 5 s. */
  refresh(user: LocalUser): void {
    const held = this.#users.get(user.id);
    if (held !== user || !held.ready || this.#options.now() - held.refreshedAt < refreshEveryMs) return;
    held.refreshedAt = this.#options.now();
    void this.#limit(() => this.#options.chat.membershipsOf(user.id)).then(
      (heads) => {
        for (const { conversationId, head } of heads) {
          const left = this.#recent.find(user.id, conversationId)?.joined === false;
          if (!left) this.#admit(held, conversationId, { after: head });
        }
      },
      (error: unknown) => {
        held.refreshedAt = 0;
        this.#options.log.warn({ err: error }, 'memberships could not be read again');
      },
    );
  }

  /** Hands an entry to the room of its conversation and follows what it says of members. */
  apply(prepared: PreparedEntry, entry: LogEntry): void {
    const { conversationId, seq } = entry;
    if (prepared) this.#options.rooms.entryToConversation(prepared);
    const conversation = this.#conversations.get(conversationId);
    if (entry.membersAdded) {
      if (conversation) conversation.memberCount += entry.membersAdded.userIds.length;
      for (const userId of entry.membersAdded.userIds) {
        this.#recent.note(userId, { conversationId, seq, joined: true });
        const user = this.#users.get(userId);
        if (user?.ready) this.#admit(user, conversationId, { after: seq - 1, addedAt: seq, first: prepared });
      }
    } else if (entry.memberRemoved) {
      const { userId } = entry.memberRemoved;
      if (conversation) conversation.memberCount -= 1;
      this.#recent.note(userId, { conversationId, seq, joined: false });
      const user = this.#users.get(userId);
      if (user) this.#expel(user, conversationId);
    } else if (entry.conversationUpdated && conversation) {
      conversation.memberCount = entry.conversationUpdated.memberCount;
    } else if (entry.conversationDeleted) {
      for (const user of [...(conversation?.users ?? [])]) {
        this.#recent.note(user.id, { conversationId, seq, joined: false });
        this.#expel(user, conversationId);
      }
    }
    if (conversation && conversation.waiting.size > 0) this.#letIn(conversation, prepared, entry);
  }

  close(): void {
    this.#closed = true;
    this.#healed.close();
    for (const user of [...this.#users.values()]) this.#close(user);
  }

  #open(identity: Identity): Held {
    const id = identity.userId;
    const conversations = new Map<string, Membership>();
    const user: Held = {
      id,
      identity,
      sockets: 0,
      ready: false,
      conversations,
      // Heard from before the list is read, so that nothing falls between the two.
      subscription: this.#options.bus.subscribe(subjects.user(id), ({ data }) =>
        this.#hear(user, userEvent.decode(data)),
      ),
      loaded: Promise.resolve(),
      stopLinger: undefined,
      refreshedAt: this.#options.now(),
    };
    this.#users.set(id, user);
    user.loaded = this.#load(user);
    // Whoever waits for it is told; the next socket begins anew.
    user.loaded.catch(() => this.#close(user));
    return user;
  }

  async #load(user: Held): Promise<void> {
    await this.#options.feeds.subscribed();
    const heads = await this.#options.chat.membershipsOf(user.id);
    if (this.#users.get(user.id) !== user) throw new Error('the gateway closes');
    for (const { conversationId, head, memberCount } of heads) {
      if (this.#recent.find(user.id, conversationId)?.joined === false) continue;
      const membership = { state: 'joined', addedAt: undefined, announced: true, first: undefined } as const;
      const conversation = this.#place(user, conversationId, { ...membership }, head);
      conversation.memberCount = memberCount ?? conversation.memberCount;
    }
    user.ready = true;
    for (const { conversationId, seq, joined } of this.#recent.of(user.id)) {
      if (joined) this.#admit(user, conversationId, { after: seq - 1, addedAt: seq });
    }
  }

  #hear(user: Held, event: UserEvent): void {
    const { conversationAdded: added, conversationRemoved: removed } = event;
    if (added) {
      const { conversationId, seq } = added;
      const admit = () => this.#admit(user, conversationId, { after: seq - 1, addedAt: seq });
      // While the list is read it may or may not hold this one; a load that fails ends all of it.
      if (user.ready) admit();
      else user.loaded.then(admit, () => undefined);
    } else if (removed) {
      // The feed applies it in its place; this only makes sure that it gets there.
      this.#options.feeds.find(removed.conversationId)?.reach(removed.seq, true);
    } else {
      this.#options.onUserEvent(user, event);
    }
  }

  /** The feed has come to the entry that added those who wait for it. */
  #letIn(conversation: LocalConversation, first: PreparedEntry, { conversationId, seq }: LogEntry): void {
    for (const user of [...conversation.waiting]) {
      const membership = user.conversations.get(conversationId);
      if (!membership || membership.addedAt === undefined || membership.addedAt > seq) continue;
      conversation.waiting.delete(user);
      if (membership.addedAt === seq) membership.first = first;
      this.#join(user, conversationId, membership, membership.addedAt - 1);
    }
  }

  #admit(user: Held, conversationId: string, how: { after: number; addedAt?: number; first?: PreparedEntry }): void {
    const { addedAt } = how;
    if (this.#closed || this.#users.get(user.id) !== user) return;
    const known = user.conversations.get(conversationId);
    if (known) {
      if (known.state !== 'joined') known.first ??= how.first;
      return;
    }
    const last = this.#recent.find(user.id, conversationId);
    if (addedAt !== undefined && last && !last.joined && last.seq > addedAt) return;
    const running = this.#options.feeds.find(conversationId);
    const ahead = addedAt !== undefined && running !== undefined && running.delivered < addedAt;
    const membership: Membership = {
      state: ahead ? 'waiting' : 'joining',
      addedAt,
      announced: false,
      first: how.first,
    };
    const conversation = this.#place(user, conversationId, membership, how.after);
    if (ahead) {
      conversation.waiting.add(user);
      running.reach(addedAt, true);
    } else {
      this.#join(user, conversationId, membership, how.after);
    }
  }

  #join(user: Held, conversationId: string, membership: Membership, after: number): void {
    const { feeds, rooms, timers, log, loadConversation, prepare } = this.#options;
    const feed = feeds.find(conversationId);
    if (!feed) return;
    membership.state = 'joining';
    const load = async (...asked: [LocalUser, string]): Promise<Conversation> => {
      const conversation = await loadConversation(...asked);
      const known = this.#conversations.get(conversationId);
      if (known) known.memberCount = conversation.memberCount;
      return conversation;
    };
    const entriesAfter = (id: string, seq: number) => feeds.entriesAfter(id, seq);
    const options = { user, conversationId, membership, feed, rooms, timers, log, prepare, entriesAfter };
    void joinLive({ ...options, after, loadConversation: load }).then((joined) => {
      if (!joined) this.#expel(user, conversationId, membership);
      else if (membership.addedAt !== undefined) feed.reach(membership.addedAt, true);
    });
  }

  #place(user: Held, conversationId: string, membership: Membership, head: number): LocalConversation {
    user.conversations.set(conversationId, membership);
    this.#options.feeds.hold(conversationId, head);
    let conversation = this.#conversations.get(conversationId);
    if (!conversation) {
      conversation = { users: new Set(), waiting: new Set(), memberCount: 0 };
      this.#conversations.set(conversationId, conversation);
    }
    conversation.users.add(user);
    return conversation;
  }

  #expel(user: Held, conversationId: string, only?: Membership): void {
    const membership = user.conversations.get(conversationId);
    if (!membership || (only && membership !== only)) return;
    const { rooms } = this.#options;
    if (membership.state === 'joined') rooms.leave(user.id, conversationId);
    this.#remove(user, conversationId, membership);
    if (membership.announced) rooms.conversationRemoved(user.id, conversationId);
  }

  #remove(user: Held, conversationId: string, membership: Membership): void {
    membership.state = 'left';
    user.conversations.delete(conversationId);
    this.#options.feeds.release(conversationId);
    const conversation = this.#conversations.get(conversationId);
    conversation?.users.delete(user);
    conversation?.waiting.delete(user);
    if (conversation?.users.size === 0) this.#conversations.delete(conversationId);
  }

  #close(user: Held): void {
    if (this.#users.get(user.id) !== user) return;
    this.#users.delete(user.id);
    user.stopLinger?.();
    user.subscription.close();
    for (const [id, membership] of user.conversations) this.#remove(user, id, membership);
  }
}
