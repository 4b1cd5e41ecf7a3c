import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { foldText, wordsOf } from '../src/search/fold-text.ts';
import { highlightsOf } from '../src/search/highlights.ts';
import { packPostings, placesWithAll } from '../src/search/postings.ts';
import { keysOfWords, keysToFind } from '../src/search/search-keys.ts';
import { matches, parseQuery, patternOf } from '../src/search/search-query.ts';

const finds = (query: string, text: string): boolean => {
  const { terms } = parseQuery(query);
  return terms.length > 0 && matches(foldText(text), terms.map(patternOf));
};
const marked = (query: string, text: string): string[] =>
  highlightsOf(text, parseQuery(query).terms.map(patternOf)).map(([start, end]) => text.slice(start, end));

const found: [query: string, text: string][] = [
  ['grossen', 'Die Größen stimmen'],
  ['GRÖSSEN', 'grossen'],
  ['gro', 'Größen'],
  ['strasse', 'STRAẞE'],
  ['smorrebrod', 'Smørrebrød'],
  ['lodz', 'Łódź'],
  ['istanbul', 'İSTANBUL'],
  ['ISIK', 'ışık'],
  ['ελλας', 'ΕΛΛΆΣ'],
  ['всё', 'ВСЕ'],
  ['北京', '我在北京工作'],
  ['东京', '去东京的火车'],
  ['カメラ', 'ｶﾒﾗを買った'],
  ['寿司', 'お寿司が好き'],
  ['대학교', '서울대학교에서 만나요'],
  ['สวัสดี', 'พูดว่าสวัสดีครับ'],
  ['مكتبه', 'المكتبة مَكْتَبُه'],
  ['שלום', 'שָׁלוֹם עולם'],
  ['नमस्ते', 'नमस्ते दुनिया'],
  ['xin chao', 'Xin chào các bạn'],
  ['🎉', 'Congratulations 🎉🎉'],
  ['👍', 'fine 👍🏽'],
  ['"see you"', 'SEE, you!'],
  ['mail', 'write an e-mail'],
  ['e-mail', 'an E‑mail came'],
  ['example', 'https://example.com/a'],
  ['don', "don't"],
  ['don’t', 'don’t'],
  ['3月', '3月に'],
  ['“quoted words”', 'some quoted words here'],
  ['ﬁle', 'file'],
  ['①', '1'],
];
const missed: [query: string, text: string][] = [
  ['see you', 'see them'],
  ['"see you"', 'you see'],
  ['"see yo"', 'see you'],
  ['ssen', 'Größen'],
  ['京北', '北京'],
  ['がき', 'かき'],
  ['"foo bar"', 'foo and bar'],
  ['lunch dinner', 'lunch'],
  ['e-mail', 'mail e'],
];

describe('given texts in many languages', () => {
  it.each(found)('when %s is looked for, then it is found in %s', (query, text) => {
    expect(finds(query, text)).toBe(true);
    expect(marked(query, text).length).toBeGreaterThan(0);
  });

  it.each(missed)('when %s is looked for, then it is not found in %s', (query, text) => {
    expect(finds(query, text)).toBe(false);
  });

  it('when something is found, then what matches is marked in UTF-16 code units and no character is parted', () => {
    expect(highlightsOf('Die Größen, grossen', [' gross'])).toEqual([
      [4, 8],
      [12, 17],
    ]);
    expect(marked('gros', 'Große')).toEqual(['Groß']);
    expect(marked('北京', '北京,上北京')).toEqual(['北京', '北京']);
    expect(marked('a', '🎉 a\u0301b')).toEqual(['a\u0301']);
    expect(marked('"see you"', 'I see,  you see you')).toEqual(['see,  you', 'see you']);
    expect(marked('see seen', 'seen')).toEqual(['seen']);
    expect(marked('👩‍🚀', 'the 👩‍🚀 flies')).toEqual(['👩‍🚀']);
  });
});

const anyText = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc
    .array(fc.constantFrom('ab', 'ä', 'ß', 'İ', 'が', '北', '한', ' ', '-', '\u00ad', '👍🏽', 'ﬁ', '𐐷', '\ud800'), {
      maxLength: 20,
    })
    .map((all) => all.join('')),
);

describe('given any text', () => {
  it('when a part of one of its words is looked for, then it is found, marked, and a key leads to it', () => {
    fc.assert(
      fc.property(anyText, fc.nat(), fc.integer({ min: 1, max: 8 }), (text, which, length) => {
        const words = wordsOf(text);
        const word = words[which % Math.max(1, words.length)];
        if (word === undefined) return;
        const term = { words: [[...word].slice(0, length).join('')], whole: false };
        const patterns = [patternOf(term)];
        expect(matches(foldText(text), patterns)).toBe(true);
        const keys = keysOfWords(words);
        expect(keysToFind(term.words).filter((key) => !keys.has(key))).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
  });

  it('when it is folded twice, then nothing changes any more, and it is made of words between single spaces', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const folded = foldText(text);
        expect(foldText(folded)).toBe(folded);
        expect(folded.trim().split(' ')).toEqual(wordsOf(text).length > 0 ? wordsOf(text) : ['']);
      }),
      { numRuns: 1_000 },
    );
  });

  it('when words are marked in it, then the marks are in order, apart, within it, and say what was looked for', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), fc.nat(), (text, which) => {
        const words = wordsOf(text);
        const word = words[which % Math.max(1, words.length)];
        if (word === undefined) return;
        const pattern = patternOf({ words: [word], whole: true });
        let end = -1;
        for (const [start, stop] of highlightsOf(text, [pattern])) {
          expect(start).toBeGreaterThan(end);
          expect(stop).toBeGreaterThan(start);
          expect(stop).toBeLessThanOrEqual(text.length);
          expect(foldText(text.slice(start, stop))).toContain(word.trim());
          end = stop;
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('given packed postings', () => {
  it('when places with all of some keys are asked for, then they are those that a plain look gives', () => {
    const posting = fc.record({
      place: fc.integer({ min: 0, max: 255 }),
      keys: fc.uniqueArray(fc.integer({ min: -9, max: 9 })),
    });
    fc.assert(
      fc.property(
        fc.uniqueArray(posting, { selector: ({ place }) => place }),
        fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 1, maxLength: 3 }),
        (postings, keys) => {
          const parts = [0, 1, 2].map((part) => postings.filter(({ place }) => place % 3 === part));
          const expected = parts.flat().filter((one) => keys.every((key) => one.keys.includes(key)));
          const places = [...new Set(expected.map(({ place }) => place))].sort((a, b) => a - b);
          const packed = parts.map(packPostings);
          const partsOf = (bucket: number) => packed.flatMap((part) => part.get(bucket) ?? []);
          expect(placesWithAll(partsOf, keys)).toEqual(places);
        },
      ),
    );
  });
});

describe('given questions that no person asks', () => {
  it.each(['', '  ', '!?…', '"', '""', '\u0000', '\ud800', '\u0301'])(
    'when %j is asked, then there is nothing to look for',
    (query) => {
      expect(parseQuery(query).terms).toEqual([]);
    },
  );

  it.each([
    ['x'.repeat(4_000), 'characters'],
    [Array.from({ length: 17 }, (_, index) => `w${index}`).join(' '), 'words'],
    ['a.'.repeat(200), 'words'],
  ])('when one of %#, far too long, is asked, then it is refused', (query, reason) => {
    expect(() => parseQuery(query)).toThrow(
      expect.objectContaining({ code: 'VALIDATION_FAILED', detail: expect.stringContaining(reason) }),
    );
  });
});
