import { describe, expect, it } from '@jest/globals';
import { Conversations } from '../src/views/conversations.ts';
import type { HeldMessages } from '../src/views/reduce-messages.ts';
import { aConversation, aMessage } from './support/objects.ts';

/** The conversation `c1` on a device, and the messages of it that are shown. */
function device() {
  let shown: HeldMessages = [];
  const nothing = (): void => undefined;
  const conversations = new Conversations({
    held: [{ id: 'c1', have: 1, conversation: aConversation(), wanted: { readSeq: 0, deliveredSeq: 0 } }],
    keeper: { keepConversation: nothing, forgetConversation: nothing, changeMessages: nothing },
    userId: () => 'me',
    onMessages: (_, change) => (shown = change(shown)),
    onForget: nothing,
    onHappenings: nothing,
    onPointers: nothing,
  });
  const page = (starred: boolean, mark: number): void =>
    conversations.takeMessages([aMessage({ starred })], { conversationId: 'c1', asOf: 1, keep: true, mark });
  return { conversations, page, starred: () => shown.map(({ message }) => message.starred) };
}

const star = (on: boolean) => ({ messageId: 'c1:1', on });

describe('stars that are told one by one', () => {
  it('given a page that was asked for before a star was told, when it comes, then the star stays', () => {
    const { conversations, page, starred } = device();
    const mark = conversations.starMark;
    conversations.takeStar(star(true));
    page(false, mark);
    expect(starred()).toEqual([true]);
    page(false, conversations.starMark);
    expect(starred()).toEqual([false]);
  });

  it('given an answer to sync from before a star was told, when it comes, then it is no news', () => {
    const { conversations, page, starred } = device();
    page(false, conversations.starMark);
    const mark = conversations.starMark;
    expect(conversations.takeStar(star(true))).toBe(true);
    expect(conversations.takeStar(star(false), mark)).toBe(false);
    expect(starred()).toEqual([true]);
    expect(conversations.takeStar(star(false), conversations.starMark)).toBe(true);
    expect(starred()).toEqual([false]);
  });

  it('given the list of all stars, when it is taken, then what was told since it was asked for stays', () => {
    const { conversations, page, starred } = device();
    page(true, conversations.starMark);
    const mark = conversations.starMark;
    conversations.takeStars({ ids: new Set(), isComplete: false, mark });
    expect(starred()).toEqual([true]);
    conversations.takeStars({ ids: new Set(), isComplete: true, mark });
    expect(starred()).toEqual([false]);
    conversations.takeStar(star(true));
    conversations.takeStars({ ids: new Set(), isComplete: true, mark });
    expect(starred()).toEqual([true]);
  });
});
