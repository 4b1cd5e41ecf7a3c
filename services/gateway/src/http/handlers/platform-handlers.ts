import { limits } from '@bluewave/api/limits';
import { rateLimits } from '../../limits/limits.ts';
import type { HandlersOf, HttpDeps } from '../handler.ts';

/** How long one look at the parts serves everybody who asks. */
const healthMs = 1_000;
const connectMs = 250;

type Parts = Record<string, 'up' | 'down'>;

export function platformHandlers(deps: HttpDeps): HandlersOf<'push.test' | 'health' | 'limits'> {
  const parts = partsInTurn(deps);
  return {
    async 'push.test'({ caller, context }) {
      await deps.limiter.demand(rateLimits.pushTest, caller.userId);
      const { accepted } = await deps.clients.push.SendTest({ actorId: caller.userId }, context);
      return { status: 200, body: { accepted } };
    },
    health: async () => ({ status: 200, body: { status: 'ok', parts: await parts() } }),
    limits: () =>
      Promise.resolve({
        status: 200,
        body: { ...limits, ...numbersInForce(deps.config) },
      }),
  };
}

/** Those of the numbers that this gateway's configuration may change. */
function numbersInForce({ accessTokenSeconds, messagesPerMinute, roomLimit }: HttpDeps['config']) {
  return {
    accessTokenSeconds,
    messagesPerMinute,
    roomMessages: roomLimit.max,
    roomWindowSeconds: roomLimit.windowMs / 1_000,
    roomMuteSeconds: roomLimit.muteMs / 1_000,
  };
}

/** The state of the parts, looked at once a second at most. */
function partsInTurn(deps: HttpDeps): () => Promise<Parts> {
  let last: { at: number; parts: Promise<Parts> } | undefined;
  const look = async (): Promise<Parts> => {
    const services = await deps.clients.reachable(connectMs);
    const all = { ...services, redis: deps.redis.status === 'ready', nats: deps.bus.connected };
    return Object.fromEntries(Object.entries(all).map(([name, up]) => [name, up ? 'up' : 'down']));
  };
  return () => {
    const now = Date.now();
    if (!last || now - last.at >= healthMs) last = { at: now, parts: look() };
    return last.parts;
  };
}
