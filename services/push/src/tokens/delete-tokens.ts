import { type SendsUnderWay, waitForSends } from './send-barrier.ts';
import type { TokenStore } from './token-store.ts';

/**
 * Forgets the tokens of devices: when it resolves, no send to them is under way and none will begin. Idempotent.
 * @throws UNAVAILABLE when a send is still under way at the deadline (milliseconds since the epoch); the tokens are gone
 * then, so a repeat only waits.
 */
export async function deleteTokens(
  tokens: TokenStore,
  sends: SendsUnderWay,
  request: { userId: string; deviceIds: readonly string[]; deadline: number },
): Promise<void> {
  const { userId, deviceIds, deadline } = request;
  if (deviceIds.length === 0) return;
  await tokens.remove(userId, deviceIds);
  const devices = deviceIds.map((deviceId) => ({ userId, deviceId }));
  await waitForSends(sends, devices, deadline);
}
