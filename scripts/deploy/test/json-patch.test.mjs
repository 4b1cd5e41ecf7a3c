import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { difference, same } from '../json-patch.mjs';

describe('difference', () => {
  it('given equal values with keys in another order, then there is none', () => {
    assert.deepEqual(difference({ a: 1, b: [1, { c: 2 }] }, { b: [1, { c: 2 }], a: 1 }), []);
  });

  it('given a key that went, one that came and one that changed, then it names each by pointer', () => {
    const operations = difference({ 'a/b': 1, keep: true, 'x~y': { z: 1 } }, { keep: true, new: [1], 'x~y': { z: 2 } });
    assert.deepEqual(operations, [
      { op: 'remove', path: '/a~1b' },
      { op: 'add', path: '/new', value: [1] },
      { op: 'replace', path: '/x~0y/z', value: 2 },
    ]);
  });

  it('given arrays of another length, then the array is replaced', () => {
    assert.deepEqual(difference({ a: [1, 2] }, { a: [1] }), [{ op: 'replace', path: '/a', value: [1] }]);
  });
});

describe('same', () => {
  it('given a key that only one has, then they differ', () => {
    assert.equal(same({ a: undefined }, { b: undefined }), false);
  });
});
