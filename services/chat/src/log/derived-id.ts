import { createHash } from 'node:crypto';

/**
 * A UUID (shaped as v4, spread like one) that is the same for the same parts, for ever: what must exist at most once
 * gets an id that everybody computes alike, and the unique index of the log decides the race.
 */
export function derivedId(...parts: (string | number)[]): string {
  const bytes = createHash('sha256').update(parts.join('\0')).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** 16 bytes that tell whether a repeat asks for the same. */
export function hashOf(...parts: unknown[]): Uint8Array {
  return createHash('sha256').update(JSON.stringify(parts)).digest().subarray(0, 16);
}
