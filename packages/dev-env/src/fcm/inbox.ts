/** A message as FCM v1 received it: the `message` of the request, unchanged. */
export type FcmMessage = Record<string, unknown>;

/** One delivery to a phone. `at` is ISO 8601 UTC. */
export type InboxItem = { token: string; at: string; message: FcmMessage };

/** A phone as the phones page shows it. */
export type Phone = { token: string; count: number; items: InboxItem[] };

const MOST_ITEMS = 200_000;
const SHOWN_PER_PHONE = 25;

/** What each registration token was sent, in order, newest last. Holds the last 200,000 deliveries. */
export class Inbox {
  readonly #byToken = new Map<string, InboxItem[]>();
  readonly #order: string[] = [];
  #forgotten = 0;

  add(item: InboxItem): void {
    const items = this.#byToken.get(item.token) ?? [];
    items.push(item);
    // Set again, so that the map's order is "last heard of last".
    this.#byToken.delete(item.token);
    this.#byToken.set(item.token, items);
    this.#order.push(item.token);
    if (this.#order.length - this.#forgotten > MOST_ITEMS) this.#forgetOldest();
  }

  /** Everything a token was sent, oldest first; of all tokens without one. */
  list(token?: string): InboxItem[] {
    if (token !== undefined) return [...(this.#byToken.get(token) ?? [])];
    return [...this.#byToken.values()].flat().sort((a, b) => a.at.localeCompare(b.at));
  }

  /** All phones, the one that was sent something last first, each with its newest items. */
  phones(): Phone[] {
    return [...this.#byToken.entries()]
      .map(([token, items]) => ({ token, count: items.length, items: items.slice(-SHOWN_PER_PHONE).reverse() }))
      .reverse();
  }

  #forgetOldest(): void {
    const token = this.#order[this.#forgotten];
    this.#forgotten += 1;
    if (token !== undefined) this.#byToken.get(token)?.shift();
    if (this.#forgotten < MOST_ITEMS) return;
    this.#order.splice(0, this.#forgotten);
    this.#forgotten = 0;
  }
}
