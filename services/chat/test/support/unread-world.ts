import { randomUUID } from 'node:crypto';
import type { ChatUnderTest } from './chat-under-test.ts';
import { nth } from './nth.ts';
import type { Replica } from './replica.ts';

type Message = { seq: number; senderId: string; mentions: string[]; isReply: boolean };
type Room = {
  id: string;
  history: 'all' | 'joined';
  messages: Message[];
  /** Where each member joined last. */
  joined: Map<string, number>;
  /** Where each person has read to, member or not. */
  read: Map<string, number>;
};

/** What somebody has not read: of each room they are in, by id, and in all of them. */
export type UnreadCounts = {
  rooms: Record<string, { unread: number; mentions: number }>;
  totals: { total: number; mentions: number; conversations: number };
};

/** Two rooms on two replicas, and beside them a plain list of the messages that are there. */
export class UnreadWorld {
  /** The first one owns the rooms and stays; the others begin as members. */
  readonly users = Array.from({ length: 3 }, () => randomUUID());
  readonly #chat: ChatUnderTest;
  readonly #rooms: Room[] = [];
  #turn = 0;

  constructor(chat: ChatUnderTest) {
    this.#chat = chat;
  }

  async open(history: 'all' | 'joined'): Promise<void> {
    const [owner = '', ...others] = this.users;
    const { conversation } = await this.#replica().insist.CreateConversation({
      ...{
        actorId: owner,
        userIds: [],
        type: 'room',
        name: 'r',
        description: '',
        idempotencyKey: randomUUID(),
        history,
      },
    });
    const id = conversation?.info?.id ?? '';
    this.#rooms.push({ id, history, messages: [], joined: new Map([[owner, 1]]), read: new Map() });
    for (const userId of others) await this.#join(nth(this.#rooms, this.#rooms.length - 1), userId);
  }

  /** A message that calls a member, or none; in the thread of another message when there is one to answer. */
  async send(room: number, user: number, called: number | undefined, answered: number | undefined): Promise<void> {
    const { id, messages, joined, history } = this.#room(room);
    const senderId = this.#user(user);
    const from = joined.get(senderId);
    if (from === undefined) return;
    const roots = messages.filter(({ isReply, seq }) => !isReply && (history === 'all' || seq > from));
    const root = answered === undefined ? undefined : roots[answered % Math.max(1, roots.length)];
    const mentions = this.#called(room, called);
    const command = {
      ...{ actorId: senderId, conversationId: id, text: 'x', clientMsgId: randomUUID(), mentionUserIds: mentions },
      ...(root ? { threadRootSeq: root.seq } : {}),
    };
    const replica = this.#replica();
    for (;;) {
      const { message, code } = await replica.send(command);
      if (message) {
        messages.push({ seq: message.seq, senderId, mentions, isReply: root !== undefined });
        return;
      }
      if (code !== 'UNAVAILABLE' && code !== 'DEADLINE_EXCEEDED') throw new Error(`the send was refused: ${code}`);
    }
  }

  /** Its sender edits a message: from then on it calls others, or nobody. */
  async edit(room: number, which: number, called: number | undefined): Promise<void> {
    const { id, joined, messages, history } = this.#room(room);
    const message = messages[which % Math.max(1, messages.length)];
    const from = message && joined.get(message.senderId);
    // Who came back to a room that shows nothing from before does not see it.
    if (!message || from === undefined || (history === 'joined' && message.seq < from)) return;
    message.mentions = this.#called(room, called);
    await this.#replica().insist.EditMessage({
      ...{ actorId: message.senderId, conversationId: id, seq: message.seq, text: `y${this.#turn}` },
      mentions: { userIds: message.mentions, all: false },
    });
  }

  /** The owner deletes a message. */
  async remove(room: number, which: number): Promise<void> {
    const { id, messages } = this.#room(room);
    const [message] = messages.splice(which % Math.max(1, messages.length), 1);
    if (!message) return;
    await this.#replica().insist.DeleteMessage({ actorId: this.#user(0), conversationId: id, seq: message.seq });
  }

  /** A member reads up to a message. */
  async read(room: number, user: number, which: number): Promise<void> {
    const { id, messages, joined, read } = this.#room(room);
    const userId = this.#user(user);
    const message = messages[which % Math.max(1, messages.length)];
    if (!message || !joined.has(userId)) return;
    await this.#mark(userId, id, message.seq);
    read.set(userId, Math.max(read.get(userId) ?? 0, message.seq));
  }

  /** Somebody who is in leaves, somebody who is not joins. */
  async toggle(room: number, user: number): Promise<void> {
    const place = this.#room(room);
    const userId = nth(this.users, 1 + (user % (this.users.length - 1)));
    if (!place.joined.has(userId)) return this.#join(place, userId);
    await this.#replica().insist.RemoveMember({ actorId: userId, conversationId: place.id, userId });
    place.joined.delete(userId);
  }

  /** As a look at every message counts it. */
  expected(userId: string): UnreadCounts {
    const counted = this.#rooms.flatMap(({ id, messages, joined, read }) => {
      const from = joined.get(userId);
      if (from === undefined) return [];
      const after = Math.max(from, read.get(userId) ?? 0);
      const unread = messages.filter(({ seq, senderId }) => seq > after && senderId !== userId);
      const mentions = unread.filter((message) => message.mentions.includes(userId));
      return [{ id, unread: unread.length, mentions: mentions.length }];
    });
    return {
      rooms: Object.fromEntries(counted.map(({ id, ...counts }) => [id, counts])),
      totals: {
        total: counted.reduce((sum, { unread }) => sum + unread, 0),
        mentions: counted.reduce((sum, { mentions }) => sum + mentions, 0),
        conversations: counted.filter(({ unread }) => unread > 0).length,
      },
    };
  }

  /** As the list of conversations and the totals of one replica say. */
  async listed(userId: string, { insist }: Replica): Promise<UnreadCounts> {
    const { conversations } = await insist.ListConversations({ actorId: userId, limit: 50, cursor: '' });
    const rooms = conversations.map(({ info, me }) => {
      return [info?.id ?? '', { unread: me?.unread ?? -1, mentions: me?.unreadMentions ?? -1 }] as const;
    });
    const { total, mentions, conversations: count } = await insist.GetUnread({ actorId: userId });
    return { rooms: Object.fromEntries(rooms), totals: { total, mentions, conversations: count } };
  }

  /** As the view of each conversation says. */
  async viewed(userId: string, { insist }: Replica): Promise<UnreadCounts['rooms']> {
    const rooms = this.#rooms.filter(({ joined }) => joined.has(userId));
    const views = rooms.map(async ({ id }) => {
      const { me } = await insist.GetConversation({ actorId: userId, conversationId: id });
      return [id, { unread: me?.unread ?? -1, mentions: me?.unreadMentions ?? -1 }] as const;
    });
    return Object.fromEntries(await Promise.all(views));
  }

  async #join(room: Room, userId: string): Promise<void> {
    const replica = this.#replica();
    const { info } = await replica.insist.JoinConversation({ actorId: userId, conversationId: room.id });
    room.joined.set(userId, info?.head ?? 0);
  }

  async #mark(userId: string, conversationId: string, readSeq: number): Promise<void> {
    const replica = this.#replica();
    for (;;) {
      const marked = await replica.mark(userId, conversationId, { readSeq });
      if (!('code' in marked)) return;
      if (marked.code !== 'UNAVAILABLE' && marked.code !== 'DEADLINE_EXCEEDED') throw new Error(marked.code);
    }
  }

  /** Whom a message calls: a member of the room, if anybody. */
  #called(room: number, called: number | undefined): string[] {
    if (called === undefined) return [];
    const members = [...this.#room(room).joined.keys()];
    return [nth(members, called % members.length)];
  }

  /** The replicas take turns. */
  #replica(): Replica {
    this.#turn += 1;
    return nth(this.#chat.replicas, this.#turn % 2);
  }

  #room(index: number): Room {
    return nth(this.#rooms, index % this.#rooms.length);
  }

  #user(index: number): string {
    return nth(this.users, index % this.users.length);
  }
}
