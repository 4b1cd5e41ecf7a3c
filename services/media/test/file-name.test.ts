import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { cleanFileName, contentDisposition } from '../src/uploads/file-name.ts';

const anyName = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), fc.string());

describe('given any file name', () => {
  it('when it is cleaned, then it is short, has no path and no disguise, and stays as it is when cleaned again', () => {
    fc.assert(
      fc.property(anyName, (given) => {
        const clean = cleanFileName(given);
        expect(Array.from(clean).length).toBeLessThanOrEqual(255);
        expect(clean).not.toMatch(/[/\\\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]/u);
        expect(clean.trim()).toBe(clean);
        expect(cleanFileName(clean)).toBe(clean);
      }),
    );
  });

  it('when it becomes a header, then it cannot break out of it and names the same file', () => {
    fc.assert(
      fc.property(anyName.map(cleanFileName), (name) => {
        const header = contentDisposition('attachment', name);
        const parts = /^attachment; filename="([\x20-\x7e]*)"; filename\*=UTF-8''([A-Za-z0-9!#$&+.^_`|~%-]*)$/.exec(
          header,
        );
        expect(parts?.[1]).not.toMatch(/["\\%]/);
        expect(decodeURIComponent(parts?.[2] ?? '?')).toBe(name);
      }),
    );
  });
});
