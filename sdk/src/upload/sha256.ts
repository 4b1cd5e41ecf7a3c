/** SHA-256 of bytes that come piece by piece: Web Crypto wants all of a file in memory, and not every runtime has it. */
export type Sha256 = {
  update(bytes: Uint8Array): void;
  /** Lower-case hex. Ends the computation. */
  digest(): string;
};

const blockBytes = 64;
const start = [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];

/** The first 32 bits of the fractional parts of the cube roots of the first 64 primes, as the standard wants them. */
const constants = roundConstants();

export function createSha256(): Sha256 {
  const state = Uint32Array.from(start);
  const words = new Uint32Array(64);
  const block = new Uint8Array(blockBytes);
  const view = new DataView(block.buffer);
  let filled = 0;
  let length = 0;
  const update = (bytes: Uint8Array): void => {
    length += bytes.length;
    for (let at = 0; at < bytes.length;) {
      const some = bytes.subarray(at, at + blockBytes - filled);
      block.set(some, filled);
      filled += some.length;
      at += some.length;
      if (filled < blockBytes) return;
      compress(state, words, view);
      filled = 0;
    }
  };
  return {
    update,
    digest() {
      const bits = length * 8;
      const padding = new Uint8Array((filled < blockBytes - 8 ? blockBytes : 2 * blockBytes) - 8 - filled);
      padding[0] = 0x80;
      update(padding);
      const size = new DataView(new ArrayBuffer(8));
      size.setUint32(0, Math.floor(bits / 2 ** 32));
      size.setUint32(4, bits >>> 0);
      update(new Uint8Array(size.buffer));
      return [...state].map((word) => word.toString(16).padStart(8, '0')).join('');
    },
  };
}

function compress(state: Uint32Array, words: Uint32Array, view: DataView): void {
  schedule(words, view);
  const [h0 = 0, h1 = 0, h2 = 0, h3 = 0, h4 = 0, h5 = 0, h6 = 0, h7 = 0] = state;
  let [a, b, c, d, e, f, g, h] = [h0, h1, h2, h3, h4, h5, h6, h7];
  for (let round = 0; round < 64; round += 1) {
    const sum1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const one = (h + sum1 + ((e & f) ^ (~e & g)) + (constants[round] ?? 0) + (words[round] ?? 0)) | 0;
    const sum0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const two = (sum0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + one) | 0;
    d = c;
    c = b;
    b = a;
    a = (one + two) | 0;
  }
  state.set([h0 + a, h1 + b, h2 + c, h3 + d, h4 + e, h5 + f, h6 + g, h7 + h]);
}

function schedule(words: Uint32Array, view: DataView): void {
  for (let at = 0; at < 16; at += 1) words[at] = view.getUint32(at * 4);
  for (let at = 16; at < 64; at += 1) {
    const early = words[at - 15] ?? 0;
    const late = words[at - 2] ?? 0;
    const small0 = rotate(early, 7) ^ rotate(early, 18) ^ (early >>> 3);
    const small1 = rotate(late, 17) ^ rotate(late, 19) ^ (late >>> 10);
    words[at] = ((words[at - 16] ?? 0) + small0 + (words[at - 7] ?? 0) + small1) | 0;
  }
}

function rotate(word: number, by: number): number {
  return (word >>> by) | (word << (32 - by));
}

function roundConstants(): number[] {
  const primes: number[] = [];
  for (let candidate = 2; primes.length < 64; candidate += 1) {
    if (primes.every((prime) => candidate % prime !== 0)) primes.push(candidate);
  }
  return primes.map((prime) => {
    const root = Math.cbrt(prime);
    return Math.floor((root - Math.floor(root)) * 2 ** 32);
  });
}
