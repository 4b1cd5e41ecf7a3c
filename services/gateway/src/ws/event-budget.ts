export type EventBudgetOptions = {
  /** Events at once. */
  burst: number;
  perSecond: number;
  now: () => number;
};

/** How many events one socket may send: a token bucket, and what it has got wrong so far. */
export class EventBudget {
  readonly #options: EventBudgetOptions;
  #tokens: number;
  #filledAt: number;
  /** Events that are not answered yet. */
  inFlight = 0;
  /** Events of names that do not exist. */
  unknown = 0;
  /** Refusals, less two for each event that was served: a loop that went wild is always served now and then. */
  refused = 0;

  constructor(options: EventBudgetOptions) {
    this.#options = options;
    this.#tokens = options.burst;
    this.#filledAt = options.now();
  }

  /** Takes one. @returns 0 when it may be served, else the milliseconds after which the next may. */
  take(): number {
    const { burst, perSecond, now } = this.#options;
    const at = now();
    this.#tokens = Math.min(burst, this.#tokens + ((at - this.#filledAt) * perSecond) / 1_000);
    this.#filledAt = at;
    if (this.#tokens >= 1) {
      this.#tokens -= 1;
      this.refused = Math.max(0, this.refused - 2);
      return 0;
    }
    this.refused += 1;
    return Math.ceil(((1 - this.#tokens) * 1_000) / perSecond);
  }
}
