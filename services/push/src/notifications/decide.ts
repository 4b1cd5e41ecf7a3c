import type { DeliveryState } from './delivery-store.ts';
import type { Recipient } from './peers.ts';

/** A device that is connected gets the message live; it has this long to say so. */
export const liveGraceMs = 5_000;

export type Decision = { kind: 'send' } | { kind: 'skip' } | { kind: 'wait'; ms: number };

/**
 * What to do about one device of a recipient. Presence alone never keeps a notification back: a connected device is
 * only waited for, and must have acknowledged the message after that.
 */
export function decide(situation: {
  seq: number;
  recipient: Recipient;
  connected: boolean;
  /** True when this entry is looked at for the first time. */
  firstLook: boolean;
  /** Milliseconds since the message was committed. */
  ageMs: number;
  earlier: DeliveryState | undefined;
}): Decision {
  const { seq, recipient, connected, firstLook, ageMs, earlier } = situation;
  if (earlier?.kind === 'done' || recipient.readSeq >= seq) return { kind: 'skip' };
  if (connected && recipient.deliveredSeq >= seq) return { kind: 'skip' };
  if (earlier?.kind === 'sending' && earlier.leaseMs > 0) return { kind: 'wait', ms: earlier.leaseMs };
  if (earlier?.kind === 'waiting' && earlier.dueInMs > 0) return { kind: 'wait', ms: earlier.dueInMs };
  if (!connected) return { kind: 'send' };
  // The first look waits in full whatever the age says: clocks differ, and after a pause of ours entries are old.
  const leftMs = firstLook ? liveGraceMs : Math.min(liveGraceMs, liveGraceMs - ageMs);
  return leftMs > 0 ? { kind: 'wait', ms: leftMs } : { kind: 'send' };
}
