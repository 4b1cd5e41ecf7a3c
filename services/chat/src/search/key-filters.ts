/**
 * Bloom filters of keys: a filter has every key that it was made of, and seldom another one. Bits are counted as
 * MongoDB's `$bitsAllSet` counts them, from the lowest one of the first byte.
 */

const largest = 131_072;
/** The sizes of filters, in bits: powers of two. A larger one than its keys need is only waste. */
export const filterSizes = [1_024, 4_096, 16_384, 65_536, largest] as const;

/** Of 100 keys that a filter was not made of it has about one, unless there are more keys than the largest has room for. */
const bitsForKey = 10;
const bitsOfKey = 5;

/** The smallest filter with room for these keys. */
export function packFilter(keys: Iterable<number>): { size: number; filter: Buffer } {
  const all = [...keys];
  const size = filterSizes.find((bits) => bits >= all.length * bitsForKey) ?? largest;
  const filter = Buffer.alloc(size / 8);
  for (const bit of bitsOf(all, size)) filter[bit >>> 3] = (filter[bit >>> 3] ?? 0) | (1 << (bit & 7));
  return { size, filter };
}

/** The bits that are set in a filter of this size which has all keys. */
export function bitsOf(keys: Iterable<number>, size: number): number[] {
  const bits = new Set<number>();
  for (const key of keys) {
    const step = Math.imul(key ^ (key >>> 16), 0x45d9f3b) | 1;
    for (let turn = 0; turn < bitsOfKey; turn += 1) bits.add((key + Math.imul(turn, step)) & (size - 1));
  }
  return [...bits];
}
