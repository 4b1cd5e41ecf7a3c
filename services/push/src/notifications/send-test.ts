import { newConversationId } from '@bluewave/runtime/ids';
import { deliver, type DeliverParts } from './deliver.ts';
import type { PushMessage } from './provider.ts';

/**
 * Sends a test notification to all devices of a user that have a token, by the same path as real ones.
 * @param deadline milliseconds since the epoch: what was not accepted by then does not count.
 * @returns how many devices the provider accepted it for.
 */
export async function sendTest(
  parts: DeliverParts,
  request: { userId: string; deadline: number; traceId: string },
): Promise<number> {
  const targets = await parts.tokens.ofUsers([request.userId]);
  // A test is an entry of a conversation that nobody is in.
  const conversationId = newConversationId();
  const message: PushMessage = {
    title: 'Test notification',
    body: 'Notifications reach this device.',
    collapseId: `test:${conversationId}`,
    data: { type: 'test' },
  };
  let accepted = 0;
  const sends = targets.map(async ({ userId, deviceId }) => {
    const delivered = await deliver(parts, { conversationId, seq: 0, userId, deviceId }, message, request.traceId);
    if (delivered.kind === 'done' && delivered.outcome === 'accepted') accepted += 1;
  });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, Math.max(0, request.deadline - Date.now()));
  });
  await Promise.race([Promise.allSettled(sends), late]);
  clearTimeout(timer);
  return accepted;
}
