import { describe, expect, it } from '@jest/globals';
import { BluewaveError } from '@bluewave/sdk';
import { SyncDriver } from '../src/sync/sync-driver.ts';
import { ManualClock, settle } from './support/manual-clock.ts';
import { aConversation } from './support/objects.ts';

/** A driver whose questions fail with these codes, one after the other, and are answered after that. */
function driverThatFailsWith(codes: readonly BluewaveError['code'][]) {
  const clock = new ManualClock();
  const [failures, limits, restarts] = [[...codes], [] as number[], [] as number[]];
  const nothing = (): void => undefined;
  const driver = new SyncDriver({
    window: 200,
    have: [['c1', 1]],
    clock,
    onEffects: nothing,
    onAsk: () => nothing,
    onSynced: nothing,
    connection: {
      restart: () => restarts.push(limits.length),
      ask: async (_: string, payload: unknown) => {
        limits.push((payload as { limit: number }).limit);
        const code = failures.shift();
        if (code !== undefined) throw new BluewaveError(code, code, { retryable: true });
        const conversations = [{ conversation: aConversation(), entries: [], hasMore: false }];
        return { ok: true, conversations, removed: [], token: 't1' } as never;
      },
    },
  });
  return { clock, driver, limits, restarts };
}

describe('questions to sync', () => {
  it('given answers that are too much for the platform or the link, when it asks again, then for half as much', async () => {
    const { clock, driver, limits, restarts } = driverThatFailsWith([
      ...(['DEADLINE_EXCEEDED', 'DEADLINE_EXCEEDED', 'TIMEOUT', 'UNAVAILABLE'] as const),
      ...Array.from({ length: 4 }, () => 'DEADLINE_EXCEEDED' as const),
    ]);
    driver.handle({ type: 'connected' });
    await settle();
    for (let waits = 0; waits < 10; waits += 1) await clock.pass(5_000);
    expect(limits).toEqual([200, 100, 50, 25, 25, 12, 10, 10, 10]);
    // A link over which an answer is still on its way is given up.
    expect(restarts).toEqual([3]);
    expect(clock.waiting).toEqual([]);
  });
});
