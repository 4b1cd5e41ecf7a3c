import type { Logger } from '@bluewave/runtime/logger';
import type { DeviceToken } from '../tokens/device-token.ts';
import type { TokenStore } from '../tokens/token-store.ts';
import type { Claim, DeliveryStore } from './delivery-store.ts';
import type { SendPermit } from './provider.ts';

/** How often a send that takes long looks whether it may go on; sooner when little of its claim is left. */
const watchMs = 400;

export type HeldClaimParts = { tokens: TokenStore; deliveries: DeliveryStore; log: Logger };

/**
 * A claim that is held for as long as a send takes: renewed, and then the token looked at again, in this order. So whoever
 * removes a token and finds no claim after it knows that nothing is sent to it any more. `signal` aborts when the send
 * must end: the token is not the device's any more, or the claim could not be renewed before it ran out.
 */
export class HeldClaim implements SendPermit {
  readonly #parts: HeldClaimParts;
  readonly #target: DeviceToken;
  readonly #abort = new AbortController();
  #claim: Claim;
  #withdrawn = false;
  #leaseTimer: NodeJS.Timeout | undefined;
  #watchTimer: NodeJS.Timeout | undefined;
  #watching: Promise<void> = Promise.resolve();

  constructor(parts: HeldClaimParts, claim: Claim, target: DeviceToken) {
    this.#parts = parts;
    this.#claim = claim;
    this.#target = target;
  }

  /** As it is after the last renewal. */
  get claim(): Claim {
    return this.#claim;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  holds(): boolean {
    return !this.#abort.signal.aborted && this.leftMs > 0;
  }

  /** The token was taken from the device, or somebody else holds the delivery. */
  get isWithdrawn(): boolean {
    return this.#withdrawn;
  }

  get leftMs(): number {
    return Math.max(0, this.#claim.expiresAt - performance.now());
  }

  /** Renews the claim and looks at the token. @returns false when nothing may be sent. */
  async renew(): Promise<boolean> {
    const renewed = await this.#parts.deliveries.renew(this.#claim);
    if (renewed) {
      this.#claim = renewed;
      const bound = await this.#parts.tokens.find(this.#target);
      if (bound?.token === this.#target.token) return true;
    }
    this.#withdrawn = true;
    return false;
  }

  /** Watches from now on, until `close`. */
  watch(): void {
    clearTimeout(this.#leaseTimer);
    this.#leaseTimer = setTimeout(() => this.#abort.abort(new Error('the claim of this send ran out')), this.leftMs);
    this.#watchTimer = setTimeout(
      () => {
        this.#watching = this.#look();
      },
      Math.min(watchMs, this.leftMs / 3),
    );
  }

  /** Ends the watch; a renewal under way ends before it resolves, so that it undoes nothing that is recorded next. */
  async close(): Promise<void> {
    this.#abort.abort(new Error('the send ended'));
    await this.#watching;
    clearTimeout(this.#leaseTimer);
    clearTimeout(this.#watchTimer);
  }

  async #look(): Promise<void> {
    try {
      if (!(await this.renew())) return this.#abort.abort(new Error('the token was taken away'));
    } catch (error) {
      // The timer of the lease ends the send when this goes on.
      this.#parts.log.warn({ err: error }, 'a claim could not be renewed');
    }
    if (!this.#abort.signal.aborted) this.watch();
  }
}
