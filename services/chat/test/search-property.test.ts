import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type CollectionsForTest, collectionsForTest } from './support/collections-for-test.ts';
import { SearchWorld } from './support/search-world.ts';

let opened: CollectionsForTest;
beforeAll(async () => {
  opened = await collectionsForTest();
}, 60_000);
afterAll(() => opened?.close());

/** What people write here: the word as it is written, and what it is made of, in plain letters. */
const vocabulary = new Map<string, string[]>([
  ['Größen', ['grossen']],
  ['GROSS', ['gross']],
  ['große', ['grosse']],
  ['ışık', ['isik']],
  ['an', ['an']],
  ['And', ['and']],
  ['éclair-box', ['eclair', 'box']],
  ['我在北京', ['我', '在', '北', '京']],
  ['北方', ['北', '方']],
  ['مَكتب', ['مكتب']],
  ['🎉', ['🎉']],
  ['...', []],
]);
const isUnspaced = (piece: string): boolean => /^[^a-z\u0600-\u06ff]/u.test(piece);

/** The pieces of a text: words, and single characters that stand together in groups. */
const groupsOf = (text: string): string[][] => text.split(' ').map((word) => vocabulary.get(word) ?? []);

/** The plainest way to say whether a text has a word: look at each of its words. */
function hasWord(text: string, word: string): boolean {
  const [first = '', ...more] = vocabulary.get(word) ?? [word];
  return groupsOf(text).some((group) => {
    if (isUnspaced(first)) return group.join('').includes([first, ...more].join(''));
    if (more.length === 0) return group.some((piece) => piece.startsWith(first));
    return group[0] === first && group[1]?.startsWith(more[0] ?? '');
  });
}

/** The same for a phrase of words: they stand side by side, whole; characters may have others before or after. */
function hasPhrase(text: string, words: string[]): boolean {
  const wanted = words.flatMap((word) => vocabulary.get(word) ?? []);
  const all = groupsOf(text).flat();
  return all.some((_, start) => wanted.every((piece, index) => all[start + index] === piece));
}

const word = fc.constantFrom(...vocabulary.keys());
const text = fc.array(word, { minLength: 1, maxLength: 3 }).map((all) => all.join(' '));
const which = fc.nat({ max: 50 });
const later = fc.constantFrom(0, 0, 5, 60_000, 60_000, 3_600_000, -1_000);
const step = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(fc.constant('send' as const), which, which, text, later) },
  { weight: 4, arbitrary: fc.tuple(fc.constant('edit' as const), which, text) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('remove' as const), which) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('leave' as const), which, which) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('join' as const), which, which) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('indexAll' as const), fc.constantFrom(1, 2)) },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.constant('indexSome' as const), which, fc.integer({ min: 1, max: 9 }), fc.boolean()),
  },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

async function take(world: SearchWorld, one: Step): Promise<void> {
  switch (one[0]) {
    case 'send':
      return world.send(one[1], one[2], one[3], one[4]);
    case 'edit':
      return world.edit(one[1], one[2]);
    case 'remove':
      return world.remove(one[1]);
    case 'leave':
      return world.leave(one[1], one[2]);
    case 'join':
      return world.join(one[1], one[2]);
    case 'indexAll':
      return world.indexAll(one[1]);
    case 'indexSome':
      return world.indexSome(one[1], one[2], one[3]);
    default:
      return one satisfies never;
  }
}

const askedWord = fc.oneof(word, fc.constantFrom('gro', 'grosse', 'a', 'e', '京', 'مك'));
const sometimes = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 2 });
const question = fc.record({
  user: which,
  limit: fc.integer({ min: 1, max: 5 }),
  words: fc.oneof(
    { weight: 3, arbitrary: fc.tuple(askedWord) },
    { weight: 1, arbitrary: fc.tuple(askedWord, askedWord) },
  ),
  phrase: sometimes(
    fc.array(
      word.filter((one) => one !== '...'),
      { minLength: 1, maxLength: 2 },
    ),
  ),
  conversation: sometimes(which),
  sender: sometimes(which),
  before: sometimes(which),
  after: sometimes(which),
});
type Question = typeof question extends fc.Arbitrary<infer T> ? T : never;

/** Asks the search and the plain list the same. */
async function compare(world: SearchWorld, asked: Question): Promise<void> {
  const all = world.readable(asked.user);
  const timeOf = (index: number | undefined) =>
    index === undefined ? undefined : all[index % Math.max(1, all.length)]?.at;
  const [before, after] = [timeOf(asked.before), timeOf(asked.after)];
  const conversationId =
    asked.conversation === undefined ? undefined : all[asked.conversation % Math.max(1, all.length)]?.conversationId;
  const senderId = asked.sender === undefined ? undefined : world.users[asked.sender % 3];
  const words = asked.words.filter((one) => one !== '...');
  const phrases = asked.phrase ? [asked.phrase] : [];
  const expected = all.filter(
    (one) =>
      words.length + phrases.length > 0 &&
      words.every((each) => hasWord(one.text, each)) &&
      phrases.every((each) => hasPhrase(one.text, each)) &&
      (conversationId === undefined || one.conversationId === conversationId) &&
      (senderId === undefined || one.senderId === senderId) &&
      (before === undefined || one.at < before) &&
      (after === undefined || one.at > after),
  );
  const filter = {
    ...(conversationId === undefined ? {} : { conversationId }),
    ...(senderId === undefined ? {} : { senderId }),
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
  };
  const query = [...asked.words, ...phrases.map((each) => `"${each.join(' ')}"`)].join(' ');
  const found = await world.search(asked.user, query, filter, asked.limit);
  expect({ query, filter, found }).toEqual({ query, filter, found: expected.map(({ id }) => id) });
}

describe('given messages that were sent, edited and deleted, members who left and joined, and an index at any stage', () => {
  it('when anybody searches for anything, then the pages hold what a look at every message finds, newest first', async () => {
    const story = fc.tuple(
      fc.constantFrom(10, 1_000),
      fc.array(step, { minLength: 20, maxLength: 45 }),
      fc.array(question, { minLength: 12, maxLength: 12 }),
    );
    await fc.assert(
      fc.asyncProperty(story, async ([keys, steps, questions]) => {
        const world = new SearchWorld(opened.collections, keys);
        for (const history of ['all', 'joined', 'joined'] as const) await world.open(history);
        for (const one of steps) await take(world, one);
        for (const one of questions) await compare(world, one);
      }),
      { numRuns: 15, interruptAfterTimeLimit: 60_000, endOnFailure: true },
    );
  }, 240_000);
});

describe('given more conversations than are looked into at first', () => {
  it('when a word is in few or in all of them, then all pages together hold what a look at every message finds', async () => {
    const world = new SearchWorld(opened.collections, 1_000);
    for (let opened = 0; opened < 300; opened += 10) {
      await Promise.all(Array.from({ length: 10 }, () => world.open('all')));
    }
    for (let count = 0; count < 300; count += 1) {
      await world.send(count, count, count % 50 === 7 ? 'a rare and a common word' : 'a common word', 60_000);
    }
    await world.indexAll(1);
    for (const query of ['rare', 'common', '"rare and"', 'nowhere']) {
      const expected = world.readable(0).filter(({ text }) => text.includes(query.replaceAll('"', '')));
      expect({ query, found: await world.search(0, query, {}, 50) }).toEqual({
        query,
        found: expected.map(({ id }) => id),
      });
    }
  }, 120_000);
});
