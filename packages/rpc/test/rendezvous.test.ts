import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { pickByRendezvous } from '../src/rendezvous.ts';

const targets = fc.uniqueArray(fc.webAuthority(), { minLength: 1, maxLength: 8 });

describe('picking a replica', () => {
  it('given the same replicas in any order, then everybody picks the same one', () => {
    fc.assert(
      fc.property(fc.uuid(), targets, (key, list) => {
        expect(pickByRendezvous(key, [...list].reverse())).toBe(pickByRendezvous(key, list));
        expect(list).toContain(pickByRendezvous(key, list));
      }),
    );
  });

  it('given a replica that goes, then only its own keys move', () => {
    fc.assert(
      fc.property(fc.uuid(), targets, fc.nat(), (key, list, index) => {
        const gone = list[index % list.length];
        const before = pickByRendezvous(key, list);
        const after = pickByRendezvous(
          key,
          list.filter((target) => target !== gone),
        );
        if (before !== gone) expect(after).toBe(before);
      }),
    );
  });

  it('given no replicas, then there is none to pick', () => {
    expect(pickByRendezvous('key', [])).toBeUndefined();
  });
});
