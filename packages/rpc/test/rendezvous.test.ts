import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { pickByRendezvous, shareOf } from '../src/rendezvous.ts';

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

  it('given many keys, then their shares at a replica are spread, also among those that are at home there', () => {
    const list = ['one:1', 'two:2'];
    const keys = Array.from({ length: 2_000 }, (_, index) => `key ${index}`);
    const home = keys.filter((key) => pickByRendezvous(key, list) === 'one:1');
    const early = home.filter((key) => shareOf(key, 'one:1') < 0.25);
    expect(early.length / home.length).toBeGreaterThan(0.2);
    expect(early.length / home.length).toBeLessThan(0.3);
  });
});
