import type { DeviceKey } from '../tokens/device-token.ts';
import type { SendsUnderWay } from '../tokens/send-barrier.ts';

/** One entry for one device: what is attempted, and remembered, once. */
export type DeliveryKey = DeviceKey & { conversationId: string; seq: number };

/** Why a delivery needs no attempt any more. */
export type FinalOutcome = 'accepted' | 'unregistered' | 'refused' | 'logged-out' | 'no-token';

/** What is known of a delivery. Times are milliseconds from now. */
export type DeliveryState =
  { kind: 'done' } | { kind: 'sending'; leaseMs: number } | { kind: 'waiting'; dueInMs: number };

/** The right to attempt a delivery, held by one process until `expiresAt`. */
export type Claim = {
  key: DeliveryKey;
  /** Attempts begun, this one included. */
  attempt: number;
  /** Names this claim. */
  holder: string;
  /** On the monotonic clock (`performance.now()`), and never later than the database thinks. */
  expiresAt: number;
};

/** How long a claim lasts without renewal: so long does a logout wait for a process that died. */
export const claimMs = 1_500;

/**
 * Attempts by (entry, device), remembered for 7 days. A claim is taken before a send and its outcome recorded after
 * it, so a process that dies in between is followed by another attempt.
 */
export type DeliveryStore = SendsUnderWay & {
  /** States of those deliveries that were attempted before, by `deliveryId`. */
  statesOf(keys: readonly DeliveryKey[]): Promise<Map<string, DeliveryState>>;
  /** @returns undefined when it is done, or not due yet, or somebody else holds it. */
  claim(key: DeliveryKey): Promise<Claim | undefined>;
  /** Holds the claim for another `claimMs`. @returns undefined when it is not ours any more. */
  renew(claim: Claim): Promise<Claim | undefined>;
  finish(claim: Claim, outcome: FinalOutcome): Promise<void>;
  /** Gives the claim back; nobody takes it before `dueInMs` from now. */
  postpone(claim: Claim, dueInMs: number, reason: string): Promise<void>;
};

export function deliveryId(key: DeliveryKey): string {
  return `${key.conversationId}:${key.seq}/${key.userId}/${key.deviceId}`;
}
