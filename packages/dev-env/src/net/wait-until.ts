import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Repeats `attempt` until it succeeds.
 *
 * @param attempt one try; throws while it is too early
 * @param options `signal` ends the wait, `timeoutMs` bounds it, `everyMs` is the pause between tries
 * @throws the last failure when the time is over, or the reason of the signal
 */
export const waitUntil = async <T>(
  attempt: () => Promise<T>,
  options: { signal?: AbortSignal; timeoutMs: number; everyMs?: number },
): Promise<T> => {
  const deadline = performance.now() + options.timeoutMs;
  for (;;) {
    options.signal?.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() >= deadline) throw error;
    }
    await sleep(options.everyMs ?? 50, undefined, options.signal ? { signal: options.signal } : {});
  }
};
