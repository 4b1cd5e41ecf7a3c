const firstMs = 1_000;
const longestMs = 60_000;

/**
 * When to try a failed delivery again: 1 s doubling to 1 minute, spread by a fifth so that many do not come at once.
 * @param attempt 1 for the first. @param random in [0, 1).
 */
export function backOffMs(attempt: number, random: () => number): number {
  const plain = Math.min(longestMs, firstMs * 2 ** Math.min(attempt - 1, 10));
  return Math.round(plain * (0.8 + 0.4 * random()));
}
