import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { foldText, isUnspaced, wordsOf } from '../src/search/fold-text.ts';
import { highlightsOf } from '../src/search/highlights.ts';
import { packPostings, placesWithAll } from '../src/search/postings.ts';
import { bitsOf, filterSizes, packFilter } from '../src/search/key-filters.ts';
import { keysOfWords, keysToFind } from '../src/search/search-keys.ts';
import { matches, parseQuery, patternOf, type SearchTerm } from '../src/search/search-query.ts';

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

/** Keys by which a message with these words would be missed. */
const missingKeys = (term: SearchTerm, words: readonly string[]): number[] => {
  const [has, needs] = [keysOfWords(words), keysToFind([term])];
  return [
    ...[...needs.words].filter((key) => !has.words.has(key)),
    ...[...needs.neighbours].filter((key) => !has.neighbours.has(key)),
  ];
};

/** What a person may type of some words that stand side by side: less of the last, and of unspaced ones at either end. */
const cut = (words: readonly string[], whole: boolean, skipped: number, kept: number): SearchTerm => ({
  whole,
  words: words.map((word, index) => {
    const from = index === 0 && isUnspaced(word) ? skipped : 0;
    const isCut = index === words.length - 1 && (!whole || isUnspaced(word));
    const left = [...word].slice(from);
    return (isCut ? left.slice(0, kept) : left).join('') || word;
  }),
});

describe('given any text', () => {
  it('when words of it that stand side by side are looked for, then they are found, and every key leads to it', () => {
    fc.assert(
      fc.property(
        anyText,
        fc.nat(),
        fc.integer({ min: 1, max: 3 }),
        fc.boolean(),
        fc.nat(2),
        fc.integer({ min: 1, max: 12 }),
        (text, at, count, whole, skipped, kept) => {
          const words = wordsOf(text);
          const first = at % Math.max(1, words.length);
          const term = cut(words.slice(first, first + count), whole, skipped, kept);
          if (term.words.length === 0) return;
          expect(matches(foldText(text), [patternOf(term)])).toBe(true);
          expect(missingKeys(term, words)).toEqual([]);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('when a part of one of its words is looked for, then it is found, marked, and a key leads to it', () => {
    fc.assert(
      fc.property(anyText, fc.nat(), fc.integer({ min: 1, max: 8 }), (text, which, length) => {
        const words = wordsOf(text);
        const word = words[which % Math.max(1, words.length)];
        if (word === undefined) return;
        const term = { words: [[...word].slice(0, length).join('')], whole: false };
        const patterns = [patternOf(term)];
        expect(matches(foldText(text), patterns)).toBe(true);
        expect(missingKeys(term, words)).toEqual([]);
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
    // Of two buckets, so that each has many.
    const key = fc.integer({ min: -9, max: 9 }).map((number) => number * 16);
    const posting = fc.record({ place: fc.integer({ min: 0, max: 255 }), keys: fc.uniqueArray(key) });
    fc.assert(
      fc.property(
        fc.uniqueArray(posting, { selector: ({ place }) => place }),
        fc.array(key, { minLength: 1, maxLength: 3 }),
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

describe('given filters of keys', () => {
  const isIn = (filter: Buffer, bits: readonly number[]): boolean =>
    bits.every((bit) => ((filter[bit >>> 3] ?? 0) & (1 << (bit & 7))) !== 0);

  it('when a key is looked for in one that was made of it, then it is there, in the smallest with room', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), { maxLength: 300 }), (keys) => {
        const { size, filter } = packFilter(keys);
        expect(filter.length * 8).toBe(size);
        expect(size).toBe(filterSizes.find((bits) => bits >= keys.length * 10));
        expect(isIn(filter, bitsOf(keys, size))).toBe(true);
      }),
    );
  });

  it.each([100, 400, 1_600, 6_500, 13_000])(
    'when keys of other words are looked for in one of %i keys, then fewer than one of fifty seems to be there',
    (count) => {
      const keysOf = (prefix: string, many: number) => [
        ...keysOfWords(Array.from({ length: many }, (_, index) => `${prefix}${index.toString(36)}`)).words,
      ];
      const made = keysOf('has', count).slice(0, count);
      const { size, filter } = packFilter(made);
      const known = new Set(made);
      const others = keysOf('not', 2_000).filter((key) => !known.has(key));
      const seeming = others.filter((key) => isIn(filter, bitsOf([key], size)));
      expect(seeming.length).toBeLessThan(others.length / 50);
    },
  );

  it('when there are more keys than the largest has room for, then every key seems to be there', () => {
    const { size, filter } = packFilter(Array.from({ length: 400_000 }, (_, index) => index));
    expect(size).toBe(filterSizes.at(-1));
    expect(isIn(filter, bitsOf([-5], size))).toBe(true);
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
