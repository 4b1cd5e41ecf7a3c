import { describe, expect, it } from '@jest/globals';
import type { Entry, Message, OutboxItem } from '@bluewave/sdk';
import fc from 'fast-check';
import { createMessageViews } from '../src/views/message-view.ts';
import { applyToConversation, lastActivity, readUpTo, takeView } from '../src/views/reduce-conversation.ts';
import { applyEntries, type HeldMessages, mergeMessages, updateMedia } from '../src/views/reduce-messages.ts';
import { aConversation, aMedia, aMessage } from './support/objects.ts';

const at = '2026-01-31T12:00:00.000Z';
const base = (seq: number) => ({ conversationId: 'c1', seq, actor: 'u1', at });
const sent = (seq: number, given: Partial<Message> = {}): Entry => ({
  ...base(seq),
  type: 'message:new',
  message: aMessage({ seq, text: `text ${seq}`, ...given }),
});
const edited = (seq: number, target: number, text: string): Entry => ({
  ...base(seq),
  type: 'message:edited',
  message: aMessage({ seq: target, text, editedAt: at }),
});
const deleted = (seq: number, target: number): Entry => ({
  ...base(seq),
  type: 'message:deleted',
  messageId: `c1:${target}`,
});
const reacted = (seq: number, target: number, userId: string, on: boolean): Entry => ({
  ...base(seq),
  type: 'message:reaction',
  messageId: `c1:${target}`,
  userId,
  emoji: '+1',
  on,
});
const play = (entries: Entry[], held: HeldMessages = []): HeldMessages =>
  entries.reduce((all, entry) => applyEntries(all, [{ entry, asOf: entry.seq }], 'me'), held);
const texts = (held: HeldMessages): string[] => held.map(({ message: { seq, text } }) => `${seq}:${text}`);

describe('messages after entries', () => {
  it('given messages, edits and deletions, when they are applied, then each message has its last state', () => {
    const held = play([sent(1), sent(2), edited(3, 1, 'new'), deleted(4, 2), edited(5, 1, 'newer')]);
    expect(texts(held)).toEqual(['1:newer', '2:']);
    expect(held[1]?.message).toMatchObject({ deletedAt: at, attachments: [], reactions: [] });
  });

  it('given many entries at once, when they are applied, then it is as if they came one by one', () => {
    const entries = [sent(1), sent(2), reacted(3, 1, 'u2', true), edited(4, 2, 'new'), deleted(5, 1), sent(6)];
    const once = entries.map((entry) => ({ entry, asOf: entry.seq }));
    expect(applyEntries([], once, 'me')).toEqual(play(entries));
  });

  it('given entries that are played again onto a state that has them, when they end, then nothing is different', () => {
    const entries = [
      sent(1),
      reacted(2, 1, 'u2', true),
      edited(3, 1, 'new'),
      sent(4),
      deleted(5, 4),
      reacted(6, 1, 'u3', true),
    ];
    fc.assert(
      fc.property(fc.nat(entries.length), (from) => {
        const held = play(entries);
        expect(play(entries.slice(from), held)).toEqual(held);
      }),
    );
  });

  it('given reactions, when they come and go, then they are counted and one’s own are known', () => {
    const one = play([sent(1), reacted(2, 1, 'u2', true), reacted(3, 1, 'me', true)]);
    expect(one[0]?.message.reactions).toEqual([{ emoji: '+1', count: 2, mine: true }]);
    const none = play([reacted(4, 1, 'u2', false), reacted(5, 1, 'me', false)], one);
    expect(none[0]?.message.reactions).toEqual([]);
  });

  it('given a pin and an entry of a kind that is not known, when they are applied, then the pin shows and the other changes nothing', () => {
    const pinned = play([sent(1), { ...base(2), type: 'message:pinned', messageId: 'c1:1', on: true }]);
    expect(pinned[0]?.message.pinned).toBe(true);
    expect(play([{ ...base(3), type: 'message:levitated' } as unknown as Entry], pinned)).toBe(pinned);
  });

  it('given a page of history that is older than an entry, when it is merged, then the newer state and the further status stay', () => {
    const held = play([sent(1), deleted(3, 1)]);
    const page = [{ message: aMessage({ seq: 1, text: 'text 1', status: 'read' }), asOf: 2 }];
    const [merged] = mergeMessages(held, page);
    expect(merged).toMatchObject({ asOf: 3, message: { text: '', deletedAt: at, status: 'read' } });
  });

  it('given messages in any order and more than once, when they are merged, then they are ascending and each is there once', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 30 })), (seqs) => {
        const held = seqs.reduce<HeldMessages>(
          (all, seq) => mergeMessages(all, [{ message: aMessage({ seq }), asOf: seq }]),
          [],
        );
        expect(held.map(({ message }) => message.seq)).toEqual([...new Set(seqs)].sort((one, other) => one - other));
      }),
    );
  });

  it('given an upload whose state moves on, when it is told, then messages with it show that and it never goes back', () => {
    const held = play([sent(1, { attachments: [aMedia()] }), sent(2)]);
    const ready = updateMedia(held, aMedia({ status: 'ready', width: 2 }));
    expect(ready[0]?.message.attachments).toEqual([aMedia({ status: 'ready', width: 2 })]);
    expect(updateMedia(held, aMedia({ uploadId: 'other' }))).toBe(held);
    const again = mergeMessages(ready, [{ message: aMessage({ seq: 1, attachments: [aMedia()] }), asOf: 5 }]);
    expect(again[0]?.message.attachments).toEqual([aMedia({ status: 'ready', width: 2 })]);
  });
});

describe('a conversation after entries', () => {
  const conversation = aConversation({ head: 1, me: { readSeq: 1, unread: 0 } });
  const apply = (entries: Entry[]) =>
    entries.reduce((all, entry) => applyToConversation(all, entry, 'me'), conversation);

  it('given messages of others and own ones, when they come, then the last one shows and those of others are unread', () => {
    const mine = sent(3, { sender: { id: 'me', username: 'me', displayName: 'Me', avatarUrl: null } });
    const after = apply([sent(2, { mentions: ['me'] }), mine]);
    expect(after).toMatchObject({ head: 3, lastMessage: { seq: 3 }, me: { unread: 1, unreadMentions: 1 } });
    expect(apply([sent(1)])).toBe(conversation);
  });

  it('given members, names and roles, when they change, then it shows that', () => {
    const after = apply([
      { ...base(2), type: 'member:added', userIds: ['u5', 'u6'] },
      { ...base(3), type: 'member:removed', userId: 'u5' },
      { ...base(4), type: 'member:updated', userId: 'me', role: 'admin' },
      { ...base(5), type: 'conversation:updated', conversation: { ...conversation, name: 'Looms', memberCount: 4 } },
    ]);
    expect(after).toMatchObject({ head: 5, name: 'Looms', memberCount: 4, me: { role: 'admin' } });
  });

  it('given the last message is edited or deleted, when that comes, then the list shows it', () => {
    expect(apply([sent(2), edited(3, 2, 'new')]).lastMessage?.text).toBe('new');
    expect(apply([sent(2), deleted(3, 2)]).lastMessage).toMatchObject({ text: '', deletedAt: at });
    expect(apply([sent(2), edited(3, 1, 'new')]).lastMessage?.text).toBe('text 2');
  });

  it('given views of the server, when an older one comes late, then what is newer stays and pointers never go back', () => {
    const newer = aConversation({ head: 9, name: 'New', me: { readSeq: 4 } });
    const older = aConversation({ head: 5, name: 'Old', me: { readSeq: 5, deliveredSeq: 5 } });
    expect(takeView(newer, older)).toMatchObject({ head: 9, name: 'New', me: { readSeq: 5, deliveredSeq: 5 } });
    expect(takeView(older, newer)).toMatchObject({ head: 9, name: 'New', me: { readSeq: 5, deliveredSeq: 5 } });
  });

  it('given everything was read here, when a view from before comes late, then nothing is unread again', () => {
    const read = readUpTo(aConversation({ head: 9, me: { readSeq: 2, unread: 7, unreadMentions: 1 } }), 9);
    const late = aConversation({ head: 9, me: { readSeq: 2, unread: 7, unreadMentions: 1, archived: true } });
    expect(takeView(read, late).me).toMatchObject({ readSeq: 9, unread: 0, unreadMentions: 0, archived: true });
  });

  it('given unread messages, when all or some are read, then all is known at once and some when the platform says', () => {
    const unread = aConversation({ head: 9, me: { readSeq: 2, unread: 7 } });
    expect(readUpTo(unread, 9).me).toMatchObject({ readSeq: 9, deliveredSeq: 9, unread: 0 });
    expect(readUpTo(unread, 5).me).toMatchObject({ readSeq: 5, unread: 7 });
    expect(readUpTo(unread, 1)).toBe(unread);
    expect(lastActivity(unread)).toBe(unread.createdAt);
  });
});

describe('messages as they are shown', () => {
  const me = { id: 'me', username: 'me', displayName: 'Me', avatarUrl: null };
  const send = (id: string, order: number): OutboxItem => ({
    id,
    conversationId: 'c1',
    order,
    createdAt: at,
    kind: 'send',
    body: { text: id },
  });
  const held = [{ message: aMessage({ seq: 1, clientMsgId: 'm1', sender: me, text: 'one' }), asOf: 1 }];

  it('given messages on their way, when they are shown, then they follow those of the log, and not a second time once they are in it', () => {
    const views = createMessageViews(held, [send('m1', 1), send('m2', 2)], me);
    expect(views.map(({ key, id, status, text }) => [key, id, status, text])).toEqual([
      ['m1', 'c1:1', 'sent', 'one'],
      ['m2', null, 'sending', 'm2'],
    ]);
  });

  it('given a refused message, when it is shown, then it says why', () => {
    const problem = {
      code: 'FORBIDDEN' as const,
      message: 'no',
      retryable: false,
      traceId: 't',
      mutedUntil: undefined,
    };
    const [view] = createMessageViews([], [{ ...send('m2', 2), problem }], me);
    expect(view).toMatchObject({ status: 'failed', problem: { code: 'FORBIDDEN', traceId: 't' } });
  });

  it('given edits and deletions that wait, when they are shown, then as done, also of messages that are not sent yet', () => {
    const change = { conversationId: 'c1', order: 3, createdAt: at };
    const views = createMessageViews(
      held,
      [
        send('m2', 2),
        { ...change, id: 'e1', kind: 'edit', target: 'm2', text: 'two' },
        { ...change, id: 'd1', kind: 'delete', target: 'c1:1' },
      ],
      me,
    );
    expect(views.map(({ text, changing, editedAt, deletedAt }) => [text, changing, editedAt, deletedAt])).toEqual([
      ['', true, undefined, at],
      ['two', true, at, undefined],
    ]);
  });

  it('given how far the others are, when own messages are shown, then their status says so', () => {
    const own = [1, 2, 3].map((seq) => ({ message: aMessage({ seq, sender: me, clientMsgId: `m${seq}` }), asOf: seq }));
    const views = createMessageViews(own, [], me, { deliveredSeq: 2, readSeq: 1 });
    expect(views.map(({ status }) => status)).toEqual(['read', 'delivered', 'sent']);
  });
});
