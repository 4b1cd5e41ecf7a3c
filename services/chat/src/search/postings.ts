/**
 * Which messages of a chunk have which keys. Keys are in buckets, so that whoever looks for a few of them needs a small
 * part of what there is. Within its bucket a key is known by 16 other bits: two of a kind are taken for one, which names
 * a message in vain. Each bucket is packed: the number of keys (2 bytes), the keys in ascending order (2 bytes each), how
 * many places each has, less one (1 byte each), and the places (1 byte each: the seq within the chunk).
 */
export type Posting = { place: number; keys: Iterable<number> };

const buckets = 32;
const head = 2;

/** Where the places of a key are. */
export const bucketOf = (key: number): number => key & (buckets - 1);
const markOf = (key: number): number => (key >>> 5) & 0xffff;

/** By bucket, of those that have any. @param postings in any order, of different places, which are 0 to 255. */
export function packPostings(postings: readonly Posting[]): Map<number, Buffer> {
  const byBucket = new Map<number, Map<number, Set<number>>>();
  for (const { place, keys } of postings) {
    for (const key of keys) {
      const marks = byBucket.get(bucketOf(key)) ?? new Map<number, Set<number>>();
      byBucket.set(bucketOf(key), marks);
      const places = marks.get(markOf(key));
      if (places) places.add(place);
      else marks.set(markOf(key), new Set([place]));
    }
  }
  return new Map(Array.from(byBucket, ([bucket, marks]) => [bucket, pack(marks)]));
}

function pack(places: Map<number, Set<number>>): Buffer {
  const marks = Uint16Array.from(places.keys()).sort();
  const total = Array.from(places.values()).reduce((sum, { size }) => sum + size, 0);
  const packed = Buffer.alloc(head + 3 * marks.length + total);
  packed.writeUInt16LE(marks.length, 0);
  let end = head + 3 * marks.length;
  marks.forEach((mark, index) => {
    const own = places.get(mark) ?? new Set();
    packed.writeUInt16LE(mark, head + 2 * index);
    packed[head + 2 * marks.length + index] = own.size - 1;
    packed.set([...own], end);
    end += own.size;
  });
  return packed;
}

/** The places that have a key, in what was packed of its bucket. */
function placesOf(packed: Buffer, key: number): Uint8Array {
  const count = packed.readUInt16LE(0);
  const mark = markOf(key);
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (packed.readUInt16LE(head + 2 * middle) < mark) low = middle + 1;
    else high = middle;
  }
  if (low === count || packed.readUInt16LE(head + 2 * low) !== mark) return new Uint8Array();
  const sizes = head + 2 * count;
  let start = sizes + count;
  for (let before = 0; before < low; before += 1) start += (packed[sizes + before] ?? 0) + 1;
  return packed.subarray(start, start + (packed[sizes + low] ?? 0) + 1);
}

/**
 * The places that have every key, ascending. A message is packed at once, so it does not matter which pieces of the
 * buckets belong together. @param partsOf all that was packed of a bucket.
 */
export function placesWithAll(partsOf: (bucket: number) => readonly Buffer[], keys: readonly number[]): number[] {
  // How many of the keys, in turn, a place has.
  const counts = new Uint16Array(256);
  for (const [turn, key] of keys.entries()) {
    let isAny = false;
    for (const part of partsOf(bucketOf(key))) {
      for (const place of placesOf(part, key)) {
        if (counts[place] !== turn) continue;
        counts[place] = turn + 1;
        isAny = true;
      }
    }
    if (!isAny) return [];
  }
  const found: number[] = [];
  counts.forEach((count, place) => {
    if (count === keys.length) found.push(place);
  });
  return found;
}
