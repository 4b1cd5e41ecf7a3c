import type { Conversation } from '@bluewave/api/objects';
import { AppError } from '@bluewave/errors/app-error';
import { userEvent } from '@bluewave/events/codec';
import type { BusSubscription } from '@bluewave/events/event-bus';
import { subjects } from '@bluewave/events/subjects';
import type { UserEvent } from '@bluewave/protos/generated/bluewave/events/v1/UserEvent';
import type { Logger } from '@bluewave/runtime/logger';
import type { Identity } from '../identity/identity.ts';
import type { ConversationLog, LogEntry } from './conversation-log.ts';
import type { FeedBus } from './feed-bus.ts';
import type { FeedRegistry } from './feed-registry.ts';
import { joinLive } from './join-live.ts';
import { limited } from './limited.ts';
import type { LocalRooms, LocalUser, PreparedEntry } from './local-user.ts';
import { type Admission, admissionsAfter, keepFor, type Membership, newMembership } from './membership.ts';
import { RecentChanges } from './recent-changes.ts';
import type { Timers } from './timers.ts';

export type LocalMembershipsOptions = {
  bus: FeedBus;
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
  readonly blocked: Set<string>;
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
const rereadAgainMs = 1_000;
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
      for (const user of this.#users.values()) this.#reread(user);
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

  /** Reads a user's memberships again, when an event seems to have been lost; not more often than every 5 s. */
  refresh(user: LocalUser): void {
    const held = this.#users.get(user.id);
    if (held === user && this.#options.now() - held.refreshedAt >= refreshEveryMs) this.#reread(held);
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
      if (user) this.#expel(user, conversationId, seq);
    } else if (entry.conversationUpdated && conversation) {
      conversation.memberCount = entry.conversationUpdated.memberCount;
    } else if (entry.conversationDeleted) {
      for (const user of [...(conversation?.users ?? [])]) {
        this.#recent.note(user.id, { conversationId, seq, joined: false });
        this.#expel(user, conversationId, seq);
      }
    }
    if (conversation && conversation.waiting.size > 0) this.#letIn(conversation, entry);
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
      blocked: new Set(),
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
    const { conversations, blockedUserIds } = await this.#options.chat.membershipsOf(user.id);
    if (this.#users.get(user.id) !== user) throw new AppError('UNAVAILABLE', 'This server goes away. Connect again.');
    this.#setBlocked(user, blockedUserIds);
    for (const { conversationId, head, memberCount } of conversations) {
      // Removed and added again after it: they are admitted below, since a sync of theirs may lie between the two.
      const last = this.#recent.find(user.id, conversationId);
      if (last?.joined && last.seq > head) continue;
      const membership = newMembership({ after: head });
      // Their clients sync when they are connected: nothing has to be brought to them where the list is sure.
      membership.announced = !this.#isDoubtful(user, conversationId, head);
      const conversation = this.#enter(user, conversationId, membership);
      if (membership.announced) conversation.memberCount = memberCount ?? conversation.memberCount;
    }
    user.ready = true;
    for (const { conversationId, seq, joined } of this.#recent.of(user.id)) {
      if (joined) this.#admit(user, conversationId, { after: seq - 1, addedAt: seq });
    }
  }

  /**
   * Whether a membership as of `head` may be over: a feed has delivered its end, or has begun beyond that head and so
   * cannot know. Whoever is admitted live is asked for first.
   */
  #isDoubtful(user: Held, conversationId: string, head: number): boolean {
    const feed = this.#options.feeds.find(conversationId);
    const left = this.#recent.find(user.id, conversationId)?.joined === false;
    return left || (feed !== undefined && feed.start > head);
  }

  #reread(user: Held): void {
    user.refreshedAt = this.#options.now();
    // Those whose first list is being read may hold one from before.
    const read = user.loaded.then(() => this.#limit(() => this.#options.chat.membershipsOf(user.id)));
    read.then(
      ({ conversations, blockedUserIds }) => {
        this.#setBlocked(user, blockedUserIds);
        for (const { conversationId, head } of conversations) this.#admit(user, conversationId, { after: head });
      },
      (error: unknown) => {
        if (this.#users.get(user.id) !== user) return;
        this.#options.log.warn({ err: error }, 'memberships could not be read again; trying again');
        this.#options.timers.after(rereadAgainMs, () => {
          if (this.#users.get(user.id) === user) this.#reread(user);
        });
      },
    );
  }

  #hear(user: Held, event: UserEvent): void {
    const { conversationAdded: added, conversationRemoved: removed, blockChanged: block } = event;
    if (added) {
      const { conversationId, seq } = added;
      const admit = () => this.#admit(user, conversationId, { after: seq - 1, addedAt: seq });
      // While the list is read it may or may not hold this one; a load that fails ends all of it.
      if (user.ready) admit();
      else user.loaded.then(admit, () => undefined);
    } else if (removed) {
      // The feed applies it in its place; this only makes sure that it gets there.
      this.#options.feeds.find(removed.conversationId)?.reach(removed.seq, true);
    } else if (block) {
      // While the list is read it may or may not hold this one.
      user.loaded.then(
        () => this.#setBlock(user, block.blockedId, block.on),
        () => undefined,
      );
    } else {
      this.#options.onUserEvent(user, event);
    }
  }

  #setBlocked(user: Held, blockedUserIds: readonly string[]): void {
    const now = new Set(blockedUserIds);
    for (const id of [...user.blocked]) if (!now.has(id)) this.#setBlock(user, id, false);
    for (const id of now) this.#setBlock(user, id, true);
  }

  #setBlock(user: Held, otherId: string, on: boolean): void {
    if (this.#users.get(user.id) !== user || user.blocked.has(otherId) === on) return;
    if (on) user.blocked.add(otherId);
    else user.blocked.delete(otherId);
    this.#options.rooms.deafen(user.id, otherId, on);
  }

  /** The feed has come to where the entries of some begin who wait for it. */
  #letIn(conversation: LocalConversation, { conversationId, seq }: LogEntry): void {
    for (const user of [...conversation.waiting]) {
      const membership = user.conversations.get(conversationId);
      if (membership && membership.after <= seq) this.#join(user, conversationId, membership);
    }
  }

  #admit(user: Held, conversationId: string, how: Admission): void {
    const { after, addedAt } = how;
    if (this.#closed || this.#users.get(user.id) !== user) return;
    const known = user.conversations.get(conversationId);
    if (known) return keepFor(known, how);
    const last = this.#recent.find(user.id, conversationId);
    if (last && last.seq > (addedAt ?? after)) {
      // A feed has delivered something newer, and that counts. A sync of theirs may have told them of what is over.
      if (!last.joined && addedAt !== undefined) this.#options.rooms.conversationRemoved(user.id, conversationId);
      return;
    }
    this.#enter(user, conversationId, newMembership(how));
  }

  /** Lets them in now, or when the feed has come to where their entries begin. */
  #enter(user: Held, conversationId: string, membership: Membership): LocalConversation {
    const conversation = this.#place(user, conversationId, membership);
    const feed = this.#options.feeds.find(conversationId);
    if (feed && feed.delivered >= membership.after) this.#join(user, conversationId, membership);
    else {
      conversation.waiting.add(user);
      feed?.reach(membership.after, true);
    }
    return conversation;
  }

  #join(user: Held, conversationId: string, membership: Membership): void {
    const { feeds, rooms, timers, log, loadConversation, prepare } = this.#options;
    const feed = feeds.find(conversationId);
    if (!feed) return;
    this.#conversations.get(conversationId)?.waiting.delete(user);
    if (membership.announced) {
      membership.state = 'joined';
      return rooms.join(user.id, conversationId);
    }
    membership.state = 'joining';
    const load = async (...asked: [LocalUser, string]): Promise<Conversation> => {
      const conversation = await loadConversation(...asked);
      const known = this.#conversations.get(conversationId);
      if (known) known.memberCount = conversation.memberCount;
      return conversation;
    };
    const entriesAfter = (id: string, seq: number) => feeds.entriesAfter(id, seq);
    const options = { user, conversationId, membership, feed, rooms, timers, log, prepare, entriesAfter };
    void joinLive({ ...options, loadConversation: load }).then((joined) => {
      if (!joined) this.#leave(user, conversationId, membership, membership.addedAt ?? membership.after);
      else if (membership.addedAt !== undefined) feed.reach(membership.addedAt, true);
    });
  }

  #place(user: Held, conversationId: string, membership: Membership): LocalConversation {
    user.conversations.set(conversationId, membership);
    this.#options.feeds.hold(conversationId, membership.after);
    let conversation = this.#conversations.get(conversationId);
    if (!conversation) {
      conversation = { users: new Set(), waiting: new Set(), memberCount: 0 };
      this.#conversations.set(conversationId, conversation);
    }
    conversation.users.add(user);
    return conversation;
  }

  #expel(user: Held, conversationId: string, removedAt: number): void {
    const membership = user.conversations.get(conversationId);
    // A feed that comes from further back passes an end that they had been added again after.
    if (membership && membership.after >= removedAt) return;
    if (membership) this.#leave(user, conversationId, membership, removedAt);
    // A sync of theirs between the entry that added them and this one may have told them of it.
    else this.#options.rooms.conversationRemoved(user.id, conversationId);
  }

  #leave(user: Held, conversationId: string, membership: Membership, removedAt: number): void {
    if (user.conversations.get(conversationId) !== membership) return;
    const { rooms } = this.#options;
    if (membership.state === 'joined') rooms.leave(user.id, conversationId);
    this.#remove(user, conversationId, membership);
    // Also when they were not told that they are in it: a sync of theirs may have.
    rooms.conversationRemoved(user.id, conversationId);
    // Heard of, or listed, before the feed came to the removal.
    for (const how of admissionsAfter(membership, removedAt)) this.#admit(user, conversationId, how);
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
