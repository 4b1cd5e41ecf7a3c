import { describe, expect, it } from '@jest/globals';
import { resyncNeeded } from '../../src/presence/resync-needed.ts';

const now = 100_000;
const known = (conversationId: string, head: number, movedAt = 0) => ({ conversationId, head, movedAt });

describe('resyncNeeded', () => {
  it.each([
    ['the same heads', { a: 3 }, [known('a', 3)], false],
    ['a client that is ahead of this gateway', { a: 4 }, [known('a', 3)], false],
    ['a client that is behind', { a: 2 }, [known('a', 3)], true],
    ['a head that moved a moment ago', { a: 2 }, [known('a', 3, now - 500)], false],
    ['a conversation that the client does not know', { a: 3 }, [known('a', 3), known('b', 1)], true],
    ['a conversation that the client is not in', { a: 3, b: 1 }, [known('a', 3)], true],
    ['nothing on both sides', {}, [], false],
    [
      'more conversations than a client can tell of',
      {},
      Array.from({ length: 1_001 }, (_, n) => known(`${n}`, 1)),
      false,
    ],
    ['a name from the prototype', JSON.parse('{"__proto__": 1}') as Record<string, number>, [], true],
  ])('given %s, when a client pings, then the answer is as listed', (_name, held, list, expected) => {
    expect(resyncNeeded(held, list, now)).toBe(expected);
  });
});
