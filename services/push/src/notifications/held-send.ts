import type { Logger } from '@bluewave/runtime/logger';
import type { TokenStore } from '../tokens/token-store.ts';
import type { DeviceToken } from '../tokens/device-token.ts';
import type { Claim, DeliveryStore } from './delivery-store.ts';
import type { Provider, PushMessage, SendOutcome } from './provider.ts';

/** How often a send that takes long looks whether it may go on. */
const watchMs = 400;
/** With less than this left of its claim, a send does not begin before it renewed. */
const leastLeaseMs = 1_000;

export type HeldSend =
  /** The send ended; `claim` is what its outcome is recorded under. */
  | { kind: 'sent'; claim: Claim; outcome: SendOutcome }
  /** The token was taken from the device, or somebody else holds the delivery: nothing (more) goes out. */
  | { kind: 'withdrawn'; claim: Claim };

type Parts = { tokens: TokenStore; deliveries: DeliveryStore; provider: Provider; log: Logger };

/**
 * Sends under a claim. While it takes, the claim is renewed and the token looked at again, in this order: whoever removes
 * a token and then sees no claim knows that nothing is sent to it any more. What cannot be renewed is aborted before
 * the claim runs out.
 */
export async function heldSend(
  parts: Parts,
  first: Claim,
  target: DeviceToken,
  message: PushMessage,
): Promise<HeldSend> {
  let claim = first;
  let withdrawn = false;
  const abort = new AbortController();
  const hold = async (): Promise<boolean> => {
    const renewed = await parts.deliveries.renew(claim);
    if (!renewed) return false;
    claim = renewed;
    const now = await parts.tokens.find(target);
    return now?.token === target.token;
  };

  if (claim.expiresAt - performance.now() < leastLeaseMs && !(await hold())) return { kind: 'withdrawn', claim };

  const outOfLease = (): void => abort.abort(new Error('the claim of this send ran out'));
  let leaseTimer = setTimeout(outOfLease, Math.max(0, claim.expiresAt - performance.now()));
  let watchTimer: NodeJS.Timeout | undefined;
  let watching: Promise<void> = Promise.resolve();
  const watch = async (): Promise<void> => {
    try {
      if (!(await hold())) {
        withdrawn = true;
        return abort.abort(new Error('the token was removed'));
      }
      clearTimeout(leaseTimer);
      leaseTimer = setTimeout(outOfLease, Math.max(0, claim.expiresAt - performance.now()));
    } catch (error) {
      // The lease timer ends the send when this goes on.
      parts.log.warn({ err: error }, 'a claim could not be renewed');
    }
    schedule();
  };
  const schedule = (): void => {
    if (abort.signal.aborted) return;
    watchTimer = setTimeout(() => (watching = watch()), watchMs);
  };
  schedule();
  try {
    const outcome = await parts.provider.send(target.token, message, abort.signal);
    return withdrawn ? { kind: 'withdrawn', claim } : { kind: 'sent', claim, outcome };
  } finally {
    abort.abort(new Error('the send ended'));
    clearTimeout(watchTimer);
    // A renewal under way must not undo what is recorded next.
    await watching;
    clearTimeout(leaseTimer);
    clearTimeout(watchTimer);
  }
}
