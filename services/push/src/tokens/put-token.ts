import { AppError } from '@bluewave/errors/app-error';
import type { DeviceKey, PushProvider } from './device-token.ts';
import { type SendsUnderWay, waitForSends } from './send-barrier.ts';
import type { TokenStore } from './token-store.ts';

const attempts = 5;

/**
 * Binds a token to a device. A phone that changes hands keeps its token: what is meant for the earlier owner must not
 * reach it any more, so the binding waits for sends that are under way to the device that had it. Idempotent.
 * @throws UNAVAILABLE when that takes longer than the deadline (milliseconds since the epoch).
 */
export async function putToken(
  tokens: TokenStore,
  sends: SendsUnderWay,
  request: { device: DeviceKey; provider: PushProvider; token: string; deadline: number },
): Promise<void> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const earlier = await tokens.takeFromOthers(request.token, request.device);
    await waitForSends(sends, earlier, request.deadline);
    if (await tokens.bind(request.device, request.provider, request.token)) return;
  }
  throw new AppError('UNAVAILABLE', 'Several devices claim this token at once. Try again.', { retryAfterMs: 500 });
}
