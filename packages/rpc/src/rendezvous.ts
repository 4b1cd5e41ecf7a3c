import { createHash } from 'node:crypto';

/**
 * Rendezvous (highest random weight) hashing: every caller that sees the same targets picks the same one for a key,
 * and when a target goes only its own keys move. @returns undefined for no targets.
 */
export function pickByRendezvous(key: string, targets: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestWeight = -1;
  for (const target of targets) {
    const weight = digestOf(key, target).readUInt32BE(0);
    if (weight > bestWeight || (weight === bestWeight && best !== undefined && target < best)) {
      best = target;
      bestWeight = weight;
    }
  }
  return best;
}

/** A number in [0, 1) that a key and a target always have, whatever the target's weight for the key. */
export function shareOf(key: string, target: string): number {
  return digestOf(key, target).readUInt32BE(4) / 2 ** 32;
}

function digestOf(key: string, target: string): Buffer {
  return createHash('md5').update(target).update('\0').update(key).digest();
}
