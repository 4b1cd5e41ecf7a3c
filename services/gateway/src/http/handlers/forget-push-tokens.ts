import type { CallContext } from '@bluewave/rpc/service-definition';
import type { HttpDeps } from '../handler.ts';

/**
 * Forgets the push tokens of devices whose sessions ended. Does not reject: the sessions are over whether push can be
 * reached or not, and push asks auth for live sessions before each send.
 */
export async function forgetPushTokens(
  deps: Pick<HttpDeps, 'clients' | 'log'>,
  actorId: string,
  deviceIds: string[],
  context: CallContext,
): Promise<void> {
  if (deviceIds.length === 0) return;
  try {
    await deps.clients.push.DeleteTokens({ actorId, deviceIds }, context);
  } catch (error) {
    deps.log.warn({ err: error, traceId: context.traceId, userId: actorId }, 'push tokens could not be forgotten');
  }
}
