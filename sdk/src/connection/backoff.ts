const firstMs = 1_000;
const lastMs = 5_000;

/**
 * How long to wait before connecting again: full jitter under a ceiling that grows from 1 s to 5 s, and never less than
 * the server asked for.
 *
 * @param failures in a row before this one
 * @param floorMs the server's `retryAfterMs`, 0 for none
 * @param random in [0, 1)
 */
export function reconnectDelay(failures: number, floorMs: number, random: number): number {
  const ceiling = Math.min(lastMs, firstMs * 2 ** Math.min(failures, 10));
  return Math.max(floorMs, Math.round(random * ceiling));
}

const firstResendMs = 500;
const lastResendMs = 5_000;

/**
 * How long to wait before an operation is tried again over the same connection: twice as long each time, and never less
 * than the server asked for.
 *
 * @param failures in a row before this one
 * @param floorMs the server's `retryAfterMs`, 0 for none
 */
export function resendDelay(failures: number, floorMs: number): number {
  return Math.max(floorMs, Math.min(lastResendMs, firstResendMs * 2 ** Math.min(failures, 10)));
}
