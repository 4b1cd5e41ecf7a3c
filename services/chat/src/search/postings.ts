/**
 * Which messages of a chunk have which keys, packed: the number of keys (2 bytes), the keys in ascending order (4 bytes
 * each), where the places of each end (4 bytes each), and the places (1 byte each: the seq within the chunk).
 */
export type Posting = { place: number; keys: Iterable<number> };

const head = 4;

/** @param postings in any order; places are 0 to 255. */
export function packPostings(postings: readonly Posting[]): Buffer {
  const placesOf = new Map<number, number[]>();
  let total = 0;
  for (const { place, keys } of postings) {
    for (const key of keys) {
      const places = placesOf.get(key);
      if (places) places.push(place);
      else placesOf.set(key, [place]);
      total += 1;
    }
  }
  const keys = Int32Array.from(placesOf.keys()).sort();
  const packed = Buffer.alloc(head + 8 * keys.length + total);
  packed.writeUInt32LE(keys.length, 0);
  let end = 0;
  keys.forEach((key, index) => {
    const places = placesOf.get(key) ?? [];
    packed.writeInt32LE(key, head + 4 * index);
    packed.set(places, head + 8 * keys.length + end);
    end += places.length;
    packed.writeUInt32LE(end, head + 4 * (keys.length + index));
  });
  return packed;
}

/** The places that have a key. */
export function placesOf(packed: Buffer, key: number): Uint8Array {
  const count = packed.readUInt32LE(0);
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (packed.readInt32LE(head + 4 * middle) < key) low = middle + 1;
    else high = middle;
  }
  if (low === count || packed.readInt32LE(head + 4 * low) !== key) return new Uint8Array();
  const endOf = (index: number): number => packed.readUInt32LE(head + 4 * (count + index));
  const base = head + 8 * count;
  return packed.subarray(base + (low === 0 ? 0 : endOf(low - 1)), base + endOf(low));
}

/** The places that have every key, ascending, over all parts of a chunk. */
export function placesWithAll(parts: readonly Buffer[], keys: readonly number[]): number[] {
  const found = parts.flatMap((part) => {
    let left: Uint8Array | Set<number> = placesOf(part, keys[0] ?? 0);
    for (const key of keys.slice(1)) {
      const had: Set<number> = new Set(left);
      if (had.size === 0) break;
      left = placesOf(part, key).filter((place) => had.has(place));
    }
    return [...left];
  });
  return [...new Set(found)].sort((a, b) => a - b);
}
