import { createHash } from 'node:crypto';

/**
 * Rendezvous (highest random weight) hashing: every caller that sees the same targets picks the same one for a key,
 * and when a target goes only its own keys move. @returns undefined for no targets.
 */
export function pickByRendezvous(key: string, targets: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestWeight = -1;
  for (const target of targets) {
    const weight = createHash('md5').update(target).update('\0').update(key).digest().readUInt32BE(0);
    if (weight > bestWeight || (weight === bestWeight && best !== undefined && target < best)) {
      best = target;
      bestWeight = weight;
    }
  }
  return best;
}
