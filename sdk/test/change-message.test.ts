import { describe, expect, it } from '@jest/globals';
import type { Entry, Message, OutboxItem, ReplyTo } from '@bluewave/sdk';
import { createMessageViews } from '../src/views/message-view.ts';
import { applyToConversation } from '../src/views/reduce-conversation.ts';
import { applyEntries, type HeldMessages, markDeleted, markStarred } from '../src/views/reduce-messages.ts';
import { aConversation, aMessage } from './support/objects.ts';

const at = '2026-01-31T12:00:00.000Z';
const base = (seq: number) => ({ conversationId: 'c1', seq, actor: 'u1', at });
const sent = (seq: number, given: Partial<Message> = {}): Entry => ({
  ...base(seq),
  type: 'message:new',
  message: aMessage({ seq, text: `text ${seq}`, ...given }),
});
const edited = (seq: number, target: number, given: Partial<Message>): Entry => ({
  ...base(seq),
  type: 'message:edited',
  message: aMessage({ seq: target, editedAt: at, ...given }),
});
const deleted = (seq: number, target: number): Entry => ({
  ...base(seq),
  type: 'message:deleted',
  messageId: `c1:${target}`,
});
const reacted = (seq: number, target: number, userId: string, emoji: string, on: boolean): Entry => ({
  ...base(seq),
  type: 'message:reaction',
  messageId: `c1:${target}`,
  userId,
  emoji,
  on,
});
const pinned = (seq: number, target: number, on: boolean): Entry => ({
  ...base(seq),
  type: 'message:pinned',
  messageId: `c1:${target}`,
  on,
});
const replyTo = (target: number, preview: string): ReplyTo => ({
  messageId: `c1:${target}`,
  seq: target,
  sender: aMessage().sender,
  type: 'text',
  preview,
  deleted: false,
});
const play = (entries: Entry[], held: HeldMessages = []): HeldMessages =>
  entries.reduce((all, entry) => applyEntries(all, [{ entry, asOf: entry.seq }], 'me'), held);

describe('messages and what is put on them', () => {
  it('given several emoji, when they come and go, then each keeps the place at which it was first shown', () => {
    const held = play([
      sent(1),
      reacted(2, 1, 'u1', '👍', true),
      reacted(3, 1, 'u1', '🎉', true),
      reacted(4, 1, 'me', '👍', true),
      reacted(5, 1, 'u1', '👍', false),
    ]);
    expect(held[0]?.message.reactions).toEqual([
      { emoji: '👍', count: 1, mine: true },
      { emoji: '🎉', count: 1, mine: false },
    ]);
  });

  it('given a message with a star and a reaction of one’s own, when it is edited, then both stay', () => {
    const starred = sent(1, { starred: true });
    const [one] = play([starred, reacted(2, 1, 'me', '👍', true), edited(3, 1, { text: 'new' })]);
    expect(one?.message).toMatchObject({ text: 'new', starred: true, reactions: [{ emoji: '👍', mine: true }] });
  });

  it('given a star, when it is put on and taken away, then that message shows it, and what shows it already stays the same', () => {
    const held = play([sent(1), sent(2)]);
    const starred = markStarred(held, 'c1:1', true);
    expect(starred.map(({ message }) => message.starred)).toEqual([true, false]);
    expect([markStarred(starred, 'c1:1', true), markStarred(held, 'c1:9', true)]).toEqual([starred, held]);
    expect(markStarred(starred, 'c1:1', true)).toBe(starred);
    expect(markStarred(starred, 'c1:1', false)).toEqual(held);
  });

  it('given a pin, when it is taken away or its message deleted, then it shows no longer', () => {
    expect(play([sent(1), pinned(2, 1, true), pinned(3, 1, false)])[0]?.message.pinned).toBe(false);
    expect(play([sent(1), pinned(2, 1, true), deleted(3, 1)])[0]?.message.pinned).toBe(false);
  });
});

describe('messages that have to do with each other', () => {
  it('given a reply, when what it answers is edited and deleted, then it shows that', () => {
    const held = play([sent(1), sent(2, { replyTo: replyTo(1, 'text 1') }), sent(3)]);
    const long = 'x'.repeat(200);
    const after = play([edited(4, 1, { text: long })], held);
    expect(after[1]?.message.replyTo).toMatchObject({ preview: `${'x'.repeat(139)}…`, deleted: false });
    expect(after[2]).toBe(held[2]);
    expect(play([deleted(5, 1)], after)[1]?.message).toMatchObject({
      text: 'text 2',
      replyTo: { preview: '', deleted: true },
    });
  });

  it('given a thread, when replies come and are deleted, then its root counts those that are left, once', () => {
    const reply = (seq: number): Entry => sent(seq, { threadRootId: 'c1:1' });
    const entries = [sent(1), reply(2), sent(3), reply(4)];
    const held = play(entries);
    expect(play(entries, held)[0]?.message.thread).toEqual({ replies: 2, lastSeq: 4 });
    // One's own deletion shows before its entry is here.
    const less = play([deleted(5, 4)], markDeleted(held, 'c1:4', at));
    expect(less[0]?.message.thread).toEqual({ replies: 1, lastSeq: 2 });
    expect(play([deleted(6, 2)], less)[0]?.message.thread).toBeUndefined();
  });

  it('given a root that was loaded with its replies counted, when their entries come, then they are not counted again', () => {
    const root = aMessage({ seq: 1, thread: { replies: 1, lastSeq: 2 } });
    const held = play([sent(2, { threadRootId: 'c1:1' })], [{ message: root, asOf: 2 }]);
    expect(held[0]?.message.thread).toEqual({ replies: 1, lastSeq: 2 });
  });

  it('given a message on its way that answers another and calls people, when it is shown, then it shows that', () => {
    const item: OutboxItem = {
      ...{ id: 'm2', conversationId: 'c1', order: 1, createdAt: at, kind: 'send' },
      body: { text: 'yes', replyTo: 'c1:1', threadRootId: 'c1:1', mentions: ['u1', 'all'] },
    };
    const views = createMessageViews(play([sent(1)]), [item]);
    expect(views[1]).toMatchObject({
      replyTo: replyTo(1, 'text 1'),
      threadRootId: 'c1:1',
      mentions: ['u1'],
      mentionsAll: true,
    });
    expect(createMessageViews([], [item])[0]?.replyTo).toBeUndefined();
  });
});

describe('a conversation and its last message', () => {
  const conversation = aConversation({ head: 1, me: { role: 'owner', readSeq: 1 } });
  const apply = (entries: Entry[]) =>
    entries.reduce((all, entry) => applyToConversation(all, entry, 'me'), conversation);

  it('given its last message, when it gets a reaction, a pin and an edit, then the list shows all of them', () => {
    const after = apply([
      sent(2, { starred: true }),
      reacted(3, 2, 'me', '👍', true),
      pinned(4, 2, true),
      reacted(5, 1, 'u1', '🎉', true),
      edited(6, 2, { text: 'new', pinned: true }),
    ]);
    expect(after.lastMessage).toMatchObject({
      ...{ text: 'new', pinned: true, starred: true },
      reactions: [{ emoji: '👍', count: 1, mine: true }],
    });
  });

  it('given a transfer, when it is told, then the new owner and the former one know what they are', () => {
    const transfer = { ...base(2), type: 'member:updated' as const, role: 'owner' as const };
    expect(apply([{ ...transfer, userId: 'u5', demotedUserId: 'me' }]).me.role).toBe('admin');
    expect(apply([{ ...transfer, userId: 'me', demotedUserId: 'u5' }]).me.role).toBe('owner');
    expect(apply([{ ...transfer, userId: 'u5', demotedUserId: 'u6' }]).me).toBe(conversation.me);
  });

  it('given a message that calls everybody, when it comes, then it counts as one that calls this user', () => {
    expect(apply([sent(2, { mentionsAll: true }), sent(3)]).me).toMatchObject({ unread: 2, unreadMentions: 1 });
  });

  it('given a conversation that is deleted, when that is told, then nothing else of it changes', () => {
    expect(apply([{ ...base(2), type: 'conversation:deleted' }])).toEqual({ ...conversation, head: 2 });
  });
});
