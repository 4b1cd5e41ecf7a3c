import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type ChatUnderTest, startChatUnderTest } from './support/chat-under-test.ts';
import { UnreadWorld } from './support/unread-world.ts';

let chat: ChatUnderTest;
beforeAll(async () => void (chat = await startChatUnderTest()), 60_000);
afterAll(() => chat.close());

const which = fc.nat({ max: 20 });
const perhaps = fc.option(which, { nil: undefined, freq: 2 });
const step = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(fc.constant('send' as const), which, which, perhaps, perhaps) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('edit' as const), which, which, perhaps) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('remove' as const), which, which) },
  { weight: 3, arbitrary: fc.tuple(fc.constant('read' as const), which, which, which) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('toggle' as const), which, which) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

async function take(world: UnreadWorld, one: Step): Promise<void> {
  switch (one[0]) {
    case 'send':
      return world.send(one[1], one[2], one[3], one[4]);
    case 'edit':
      return world.edit(one[1], one[2], one[3]);
    case 'remove':
      return world.remove(one[1], one[2]);
    case 'read':
      return world.read(one[1], one[2], one[3]);
    case 'toggle':
      return world.toggle(one[1], one[2]);
    default:
      return one satisfies never;
  }
}

async function compare(world: UnreadWorld): Promise<void> {
  for (const userId of world.users) {
    const expected = world.expected(userId);
    for (const replica of chat.replicas) {
      expect(await world.listed(userId, replica)).toEqual(expected);
      expect(await world.viewed(userId, replica)).toEqual(expected.rooms);
    }
  }
}

describe('given messages, replies in threads, edits, deletions and reads, while members leave and join', () => {
  it('when anybody asks what they have not read, then list, views and totals say what a look at every message counts', async () => {
    const story = fc.array(fc.array(step, { minLength: 5, maxLength: 10 }), { minLength: 3, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(story, async (chapters) => {
        const world = new UnreadWorld(chat);
        for (const history of ['all', 'joined'] as const) await world.open(history);
        for (const chapter of chapters) {
          for (const one of chapter) await take(world, one);
          await compare(world);
        }
      }),
      { numRuns: 12, interruptAfterTimeLimit: 60_000, endOnFailure: true },
    );
  }, 240_000);
});
