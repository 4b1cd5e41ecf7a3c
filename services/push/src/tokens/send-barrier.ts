import { AppError } from '@bluewave/errors/app-error';
import { sleep } from '@bluewave/runtime/deadline';
import type { DeviceKey } from './device-token.ts';

/** Tells whether any process of this service is sending to these devices now. */
export type SendsUnderWay = { sendingTo(devices: readonly DeviceKey[]): Promise<boolean> };

const pollMs = 25;

/**
 * Waits until no send to these devices is under way. Call it after their tokens were removed: a send that begins later
 * finds no token, and one that is slow notices within half a second that its token is gone and ends.
 * @param deadline milliseconds since the epoch. @throws UNAVAILABLE when a send is still under way then.
 */
export async function waitForSends(
  sends: SendsUnderWay,
  devices: readonly DeviceKey[],
  deadline: number,
): Promise<void> {
  if (devices.length === 0) return;
  while (await sends.sendingTo(devices)) {
    if (Date.now() + pollMs >= deadline) {
      throw new AppError('UNAVAILABLE', 'A notification to this device is still under way. Try again.', {
        retryAfterMs: 500,
      });
    }
    await sleep(pollMs);
  }
}
