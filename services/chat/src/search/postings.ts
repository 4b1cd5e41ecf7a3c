/**
 * Which messages of a chunk have which keys. Keys are in buckets, so that whoever looks for a few of them needs a small
 * part of what there is. Each bucket is packed: the number of keys (4 bytes), the keys in ascending order (4 bytes
 * each), where the places of each end (4 bytes each), and the places (1 byte each: the seq within the chunk).
 */
export type Posting = { place: number; keys: Iterable<number> };

const head = 4;
const buckets = 32;

/** Where the places of a key are. */
export const bucketOf = (key: number): number => key & (buckets - 1);

/** By bucket, of those that have any. @param postings in any order; places are 0 to 255. */
export function packPostings(postings: readonly Posting[]): Map<number, Buffer> {
  const byBucket = new Map<number, Map<number, number[]>>();
  for (const { place, keys } of postings) {
    for (const key of keys) {
      const placesOf = byBucket.get(bucketOf(key)) ?? new Map<number, number[]>();
      const places = placesOf.get(key);
      if (places) places.push(place);
      else byBucket.set(bucketOf(key), placesOf.set(key, [place]));
    }
  }
  return new Map(Array.from(byBucket, ([bucket, placesOf]) => [bucket, pack(placesOf)]));
}

function pack(placesOf: Map<number, number[]>): Buffer {
  const keys = Int32Array.from(placesOf.keys()).sort();
  const total = Array.from(placesOf.values()).reduce((sum, places) => sum + places.length, 0);
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

/** The places that have a key, in what was packed of its bucket. */
function placesOf(packed: Buffer, key: number): Uint8Array {
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
