import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseEmail, parseIdentifier } from '../src/accounts/identity.ts';
import { addressCounter, addressGroup, identityCounter } from '../src/credentials/subject.ts';

describe('parseIdentifier', () => {
  it.each([
    ['Ada@Example.COM', { kind: 'email', value: 'ada@example.com' }],
    [' +4915112345678 ', { kind: 'phone', value: '+4915112345678' }],
    ['Ada.Lovelace_1', { kind: 'username', value: 'ada.lovelace_1' }],
  ])('given %j, when it is read, then its kind and normal form are known', (text, identity) => {
    expect(parseIdentifier(text)).toEqual(identity);
  });

  it('given two ways to write one address, when they are read, then they are one', () => {
    expect(parseEmail('Cafe\u0301@Example.com')).toBe(parseEmail('CAF\u00c9@example.com'));
    expect(parseEmail('\u0130ada@example.com')).toBe(parseEmail(parseEmail('\u0130ada@example.com')));
  });

  it('given any address that is accepted, when it is read again, then nothing changes and it is one address', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.emailAddress(),
          fc.string({ unit: 'binary' }).map((text) => `${text}@b.c`),
        ),
        (text) => {
          let value: string;
          try {
            value = parseEmail(text);
          } catch {
            return;
          }
          expect(parseEmail(value)).toBe(value);
          expect(value).not.toMatch(/[\s,;<>]/);
          expect(value.split('@')).toHaveLength(2);
        },
      ),
    );
  });
});

describe('counters of addresses', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:0DB8:0001:0002::', '2001:db8:1:2'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['1:2::4:5:6:7:8', '1:2:0:4'],
    ['::1', '0:0:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
    ['somewhere', 'somewhere'],
  ])('given %s, when it is counted, then it counts as %s', (ip, group) => {
    expect(addressGroup(ip)).toBe(group);
  });

  it('given a person’s address or number, when its counter is named, then the name does not hold it', () => {
    expect(identityCounter('failures', { kind: 'phone', value: '+4915112345678' })).toMatch(
      /^auth:failures:id:[A-Za-z0-9_-]{22}$/,
    );
    expect(addressCounter('codes', '192.0.2.7')).toMatch(/^auth:codes:ip:[A-Za-z0-9_-]{22}$/);
    expect(addressCounter('codes', '')).toBeUndefined();
  });
});
