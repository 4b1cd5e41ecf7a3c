import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AppError } from '@bluewave/errors/app-error';
import type { LogEntry } from '../src/log/entry.ts';
import { type ChatUnderTest, startChatUnderTest } from './support/chat-under-test.ts';
import { nth } from './support/nth.ts';
import type { Replica } from './support/replica.ts';

let chat: ChatUnderTest;
let replicas: [Replica, Replica];
beforeAll(async () => {
  chat = await startChatUnderTest();
  ({ replicas } = chat);
});
afterAll(() => chat.close());

const either = (index: number): Replica => nth(replicas, index % 2);
const given = async (members = 1) => {
  const owner = randomUUID();
  const others = Array.from({ length: members }, () => randomUUID());
  const conversationId = await replicas[0].group(owner, ...others);
  const { message } = await replicas[0].send({ actorId: owner, conversationId, text: 'target' });
  return { owner, others, friend: nth(others, 0), conversationId, seq: message?.seq ?? 0 };
};
type Place = { conversationId: string; seq: number };
/** What became of a call. */
const outcome = async (call: Promise<{ seq: number }>): Promise<string> => {
  try {
    return (await call).seq > 0 ? 'written' : 'nothing';
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return error.code;
  }
};
const react = (actorId: string, { conversationId, seq }: Place, emoji: string, on = true, replica = 0) =>
  outcome(either(replica).insist.React({ actorId, conversationId, seq, emoji, on }));
const pin = (actorId: string, { conversationId, seq }: Place, on = true, replica = 0) =>
  outcome(either(replica).insist.PinMessage({ actorId, conversationId, seq, on }));
const shown = async (actorId: string, { conversationId, seq }: Place, replica = 1) =>
  (await either(replica).insist.GetMessage({ actorId, conversationId, seq })).reactions;

/** Who shows what, folded from the log alone. */
function foldReactions(log: LogEntry[], target: number): Map<string, Set<string>> {
  const byEmoji = new Map<string, Set<string>>();
  for (const { body, senderId } of log) {
    if (body.type !== 'message:reaction' || body.target !== target) continue;
    const users = byEmoji.get(body.emoji) ?? new Set<string>();
    if (body.on) users.add(senderId);
    else users.delete(senderId);
    byEmoji.set(body.emoji, users);
  }
  return byEmoji;
}

describe('given reactions', () => {
  it('when people react and take it back, then counts follow, in the order of first use, and a repeat writes nothing', async () => {
    const { owner, friend, ...place } = await given();
    expect(await react(owner, place, '👍')).toBe('written');
    expect(await react(owner, place, '👍', true, 1)).toBe('nothing');
    expect(await react(friend, place, 'party_parrot', true, 1)).toBe('written');
    expect(await react(friend, place, '👍')).toBe('written');
    expect(await react(friend, place, '🎉', false)).toBe('nothing');
    expect(await shown(owner, place)).toEqual([
      { emoji: '👍', count: 2, mine: true },
      { emoji: 'party_parrot', count: 1, mine: false },
    ]);
    expect(await react(owner, place, '👍', false, 1)).toBe('written');
    expect(await react(owner, place, '👍', true)).toBe('written');
    expect(await react(friend, place, 'party_parrot', false)).toBe('written');
    expect(await shown(friend, place)).toEqual([{ emoji: '👍', count: 2, mine: true }]);
    expect((await chat.log(place.conversationId)).length).toBe(2 + 6);
  });

  it('when they are listed, then each says who and when, page by page, and one emoji alone', async () => {
    const { owner, others, ...place } = await given(5);
    for (const user of others) await react(user, place, '👍');
    for (const user of [owner, ...others.slice(0, 2)]) await react(user, place, '🎉');
    const list = (limit: number, cursor: string, emoji = '') =>
      replicas[1].insist.ListReactions({ actorId: owner, ...place, emoji, limit, cursor });
    const pages = async (emoji: string): Promise<string[]> => {
      const found: string[] = [];
      for (let cursor = '', more = true; more; more = cursor !== '') {
        const page = await list(3, cursor, emoji);
        found.push(...page.reactions.map((one) => `${one.emoji} ${one.userId}`));
        cursor = page.nextCursor;
      }
      return found;
    };
    const thumbs = others.map((user) => `👍 ${user}`);
    const parties = [owner, ...others.slice(0, 2)].map((user) => `🎉 ${user}`);
    expect(await pages('')).toEqual([...parties, ...thumbs]);
    expect(await pages('👍')).toEqual(thumbs);
    expect(await pages('😀')).toEqual([]);
    expect(nth((await list(1, '')).reactions, 0).atMs).toBeGreaterThan(Date.now() - 60_000);
  });

  it('when there are too many, then the next is refused, and taking one away makes room', async () => {
    const { owner, friend, ...place } = await given();
    for (let index = 0; index < 20; index += 1) expect(await react(owner, place, `own_${index}`)).toBe('written');
    expect(await react(owner, place, 'one_more')).toBe('CONFLICT');
    expect(await react(owner, place, 'own_3')).toBe('nothing');
    expect(await react(owner, place, 'own_3', false)).toBe('written');
    expect(await react(owner, place, 'one_more')).toBe('written');
    expect(await react(friend, place, 'own_4')).toBe('written');
  });

  it('when the message is deleted, no message or out of sight, then it is refused', async () => {
    const { owner, friend, ...place } = await given();
    const { conversationId, seq } = place;
    expect(await react(owner, { conversationId, seq: 1 }, '👍')).toBe('NOT_FOUND');
    expect(await react(owner, { conversationId, seq: 99 }, '👍')).toBe('NOT_FOUND');
    expect(await react(randomUUID(), place, '👍')).toBe('NOT_FOUND');
    expect(await react(friend, place, '👍')).toBe('written');
    await replicas[1].insist.DeleteMessage({ actorId: owner, conversationId, seq });
    expect(await react(friend, place, '🎉')).toBe('MESSAGE_DELETED');
    expect(await react(friend, place, '👍', false)).toBe('MESSAGE_DELETED');
    expect(await shown(owner, place)).toEqual([]);
    expect(await pin(owner, place)).toBe('MESSAGE_DELETED');
  });

  it('when fifty react at once through both replicas, then the counts are what the log says', async () => {
    const { owner, others, ...place } = await given(50);
    const emoji = ['👍', '🎉', 'wave'];
    const asked = others.map((user, index) => react(user, place, nth(emoji, index % 3), true, index));
    expect((await Promise.all(asked)).filter((one) => one !== 'written' && one !== 'nothing')).toEqual([]);
    const log = await chat.log(place.conversationId);
    expect(log.filter(({ body }) => body.type === 'message:reaction').length).toBe(50);
    const again = others.map((user, index) => react(user, place, nth(emoji, index % 3), true, index + 1));
    expect(new Set(await Promise.all(again))).toEqual(new Set(['nothing']));
    const folded = foldReactions(await chat.log(place.conversationId), place.seq);
    for (const replica of [0, 1]) {
      const counts = new Map((await shown(owner, place, replica)).map((one) => [one.emoji, one.count]));
      expect(counts).toEqual(new Map([...folded].map(([one, users]) => [one, users.size])));
    }
  });

  it('when one person turns an emoji on and off from two places at once, then all agree on the last entry', async () => {
    const { owner, ...place } = await given();
    const asked = Array.from({ length: 50 }, (_, index) => react(owner, place, '👍', index % 2 === 0, index >> 1));
    expect((await Promise.all(asked)).filter((one) => one !== 'written' && one !== 'nothing')).toEqual([]);
    const isOn =
      foldReactions(await chat.log(place.conversationId), place.seq)
        .get('👍')
        ?.has(owner) ?? false;
    const expected = isOn ? [{ emoji: '👍', count: 1, mine: true }] : [];
    expect(await shown(owner, place, 0)).toEqual(expected);
    expect(await shown(owner, place, 1)).toEqual(expected);
    const { conversations } = await replicas[1].insist.Sync({
      ...{ actorId: owner, cursors: { [place.conversationId]: 0 }, token: '', limit: 200 },
    });
    const entries = conversations.flatMap((one) => one.entries);
    const last = entries.filter(({ messageReaction }) => messageReaction).at(-1);
    expect(last?.messageReaction?.on ?? false).toBe(isOn);
  });
});

describe('given pins', () => {
  it('when a moderator pins, then the message says so and is listed, newest first, until it is unpinned or deleted', async () => {
    const { owner, friend, conversationId, seq } = await given();
    const more = await replicas[0].send({ actorId: friend, conversationId, text: 'more' });
    const places = [seq, more.message?.seq ?? 0].map((one) => ({ conversationId, seq: one }));
    const [first, second] = [nth(places, 0), nth(places, 1)];
    expect(await pin(friend, first)).toBe('FORBIDDEN');
    expect(await pin(randomUUID(), first)).toBe('NOT_FOUND');
    expect(await pin(owner, first)).toBe('written');
    expect(await pin(owner, first, true, 1)).toBe('nothing');
    expect(await pin(owner, second, true, 1)).toBe('written');
    const pins = async (limit = 10, cursor = '') => {
      const page = await replicas[1].insist.ListPins({ actorId: friend, conversationId, limit, cursor });
      return { seqs: page.messages.map((one) => one.seq), nextCursor: page.nextCursor };
    };
    expect(await pins()).toEqual({ seqs: [second.seq, first.seq], nextCursor: '' });
    const page = await pins(1);
    expect(page.seqs).toEqual([second.seq]);
    expect(await pins(1, page.nextCursor)).toEqual({ seqs: [first.seq], nextCursor: '' });
    expect(await replicas[0].insist.GetMessage({ actorId: friend, ...first })).toMatchObject({ pinned: true });
    expect(await pin(owner, first, false)).toBe('written');
    expect(await pin(owner, first, false)).toBe('nothing');
    expect((await pins()).seqs).toEqual([second.seq]);
    await replicas[0].insist.DeleteMessage({ actorId: owner, ...second });
    expect((await pins()).seqs).toEqual([]);
  });

  it('when one pins, one deletes and many react at once, then nothing is left of it', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { owner, others, conversationId, seq } = await given(6);
      const place = { conversationId, seq };
      const deletion = replicas[1].insist.DeleteMessage({ actorId: owner, ...place });
      const asked = [
        ...others.map((user, index) => react(user, place, '👍', true, index)),
        pin(owner, place, true, round),
        outcome(replicas[0].insist.EditMessage({ actorId: owner, ...place, text: 'edited' })),
      ];
      const outcomes = await Promise.all(asked);
      await deletion;
      expect(outcomes.filter((one) => one !== 'written' && one !== 'MESSAGE_DELETED')).toEqual([]);
      for (const replica of replicas) {
        expect(await replica.insist.GetMessage({ actorId: owner, ...place })).toMatchObject({
          ...{ text: '', pinned: false, reactions: [] },
        });
        const { messages } = await replica.insist.ListPins({ actorId: owner, conversationId, limit: 10, cursor: '' });
        expect(messages).toEqual([]);
      }
      expect(JSON.stringify(await chat.log(conversationId))).not.toContain('"edited"');
    }
  });
});
