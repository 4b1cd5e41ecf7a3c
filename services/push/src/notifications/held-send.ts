import { AppError } from '@bluewave/errors/app-error';
import type { DeviceToken } from '../tokens/device-token.ts';
import type { Claim } from './delivery-store.ts';
import { HeldClaim, type HeldClaimParts } from './held-claim.ts';
import type { Provider, PushMessage, SendOutcome } from './provider.ts';

/** With less than this left of its claim, a send renews it before it begins. */
const leastLeaseMs = 1_000;
/** With less than this left after that, it does not begin: it would be cut before it had a chance. */
const leastRenewedMs = 300;

export type HeldSend =
  /** The send ended; `claim` is what its outcome is recorded under. */
  | { kind: 'sent'; claim: Claim; outcome: SendOutcome }
  /** The token was taken from the device, or somebody else holds the delivery: nothing (more) goes out. */
  | { kind: 'withdrawn'; claim: Claim };

/**
 * Sends while the claim holds, see `HeldClaim`; nothing goes out after it resolved.
 * @throws UNAVAILABLE when the database takes so long to renew the claim that little of it is left.
 */
export async function heldSend(
  parts: HeldClaimParts & { provider: Provider },
  claim: Claim,
  target: DeviceToken,
  message: PushMessage,
): Promise<HeldSend> {
  const held = new HeldClaim(parts, claim, target);
  if (held.leftMs < leastLeaseMs) {
    if (!(await held.renew())) return { kind: 'withdrawn', claim: held.claim };
    if (held.leftMs < leastRenewedMs)
      throw new AppError('UNAVAILABLE', 'The claim of this send was renewed too slowly.');
  }
  held.watch();
  try {
    const outcome = await parts.provider.send(target.token, message, held);
    await held.close();
    return held.isWithdrawn && outcome.kind !== 'accepted'
      ? { kind: 'withdrawn', claim: held.claim }
      : { kind: 'sent', claim: held.claim, outcome };
  } finally {
    await held.close();
  }
}
