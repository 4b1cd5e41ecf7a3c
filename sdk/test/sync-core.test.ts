import { describe, expect, it } from '@jest/globals';
import { createSyncCore, type SyncEffect, type SyncInput } from '@bluewave/sdk';
import fc from 'fast-check';
import { runNetwork, type NetworkPlan } from './support/simulated-network.ts';

type Entry = { conversationId: string; seq: number };
type View = { id: string; head: number };
type Input = SyncInput<Entry, View>;
type Effect = SyncEffect<Entry, View>;

const entry = (seq: number, conversationId = 'c'): Input => ({ type: 'entry', entry: { conversationId, seq } });
const applied = (effects: Effect[]): number[] =>
  effects.flatMap((effect) => (effect.type === 'apply' ? [effect.entry.seq] : []));
const requestOf = (effects: Effect[]): Extract<Effect, { type: 'sync' }> => {
  const found = effects.find((effect) => effect.type === 'sync');
  if (found?.type !== 'sync') throw new Error(`no sync in ${JSON.stringify(effects)}`);
  return found;
};

describe('the sync core', () => {
  it('given any loss, doubling, reordering and any disconnections, and logs whose beginnings are archived, when the network is good again, then each device has applied each entry of its conversations once and in order', () => {
    const plan: fc.Arbitrary<NetworkPlan> = fc.record({
      window: fc.constantFrom(3, 10, Number.POSITIVE_INFINITY),
      pageLimit: fc.integer({ min: 1, max: 7 }),
      steps: fc.array(
        fc.oneof(
          { weight: 8, arbitrary: fc.record({ do: fc.constant('append' as const), conversation: fc.nat(2) }) },
          { weight: 8, arbitrary: fc.record({ do: fc.constant('deliver' as const), pick: fc.nat(1_000) }) },
          { weight: 2, arbitrary: fc.record({ do: fc.constant('double' as const), pick: fc.nat(1_000) }) },
          { weight: 3, arbitrary: fc.record({ do: fc.constant('lose' as const), pick: fc.nat(1_000) }) },
          { weight: 4, arbitrary: fc.record({ do: fc.constant('answer' as const) }) },
          { weight: 1, arbitrary: fc.record({ do: fc.constant('fail' as const) }) },
          { weight: 4, arbitrary: fc.record({ do: fc.constant('timer' as const), pick: fc.nat(1_000) }) },
          { weight: 1, arbitrary: fc.record({ do: fc.constant('reconnect' as const) }) },
          { weight: 1, arbitrary: fc.record({ do: fc.constant('remove' as const), conversation: fc.nat(2) }) },
          { weight: 2, arbitrary: fc.record({ do: fc.constant('add' as const), conversation: fc.nat(2) }) },
          {
            weight: 1,
            arbitrary: fc.record({ do: fc.constant('archive' as const), conversation: fc.nat(2), pick: fc.nat(1_000) }),
          },
          { weight: 1, arbitrary: fc.record({ do: fc.constant('newEpoch' as const), conversation: fc.nat(2) }) },
        ),
        { maxLength: 120 },
      ),
    });
    fc.assert(
      fc.property(plan, (given) => {
        const result = runNetwork(given);
        expect(result.violations).toEqual([]);
        expect(result.have).toEqual(result.heads);
      }),
      { numRuns: 1_500 },
    );
  });

  it('given more conversations than one request may name, when it connects, then all of them are asked for', () => {
    const have = Array.from({ length: 2_300 }, (_, at) => [`c${at}`, 5] as const);
    const core = createSyncCore<Entry, View>({ window: 200, have });
    const asked: string[] = [];
    let effects = core.handle({ type: 'connected' });
    for (let round = 0; round < 3; round += 1) {
      const { request, cursors } = requestOf(effects);
      expect(Object.keys(cursors).length).toBeLessThanOrEqual(1_000);
      asked.push(...Object.keys(cursors));
      effects = core.handle({ type: 'answer', request, answer: { conversations: [], removed: [], token: 't' } });
    }
    expect(new Set(asked).size).toBe(2_300);
    expect(effects).toEqual([{ type: 'synced' }]);
  });

  it('given a link that is too slow for a page, when requests run out of time, then smaller pages are asked for', () => {
    const core = createSyncCore<Entry, View>({ window: 200, have: [['c', 5]] });
    let effects = core.handle({ type: 'connected' });
    const limits: number[] = [];
    for (let round = 0; round < 6; round += 1) {
      const { request, limit } = requestOf(effects);
      limits.push(limit);
      core.handle({ type: 'failed', request, slow: true });
      effects = core.handle({ type: 'retry' });
    }
    expect(limits).toEqual([200, 100, 50, 25, 12, 10]);
  });

  it('given a device that is up to date, when it goes over to another gateway, then it asks what moved since, and after a gap for everything', () => {
    const core = createSyncCore<Entry, View>({ window: 200, have: [['c', 5]] });
    const answer = { conversations: [], removed: [], token: 'mark' };
    const first = requestOf(core.handle({ type: 'connected' }));
    core.handle({ type: 'answer', request: first.request, answer });
    const moved = requestOf(core.handle({ type: 'moved' }));
    core.handle({ type: 'answer', request: moved.request, answer });
    core.handle({ type: 'disconnected' });
    const back = requestOf(core.handle({ type: 'connected' }));
    expect([first, moved, back].map(({ token }) => token)).toEqual([undefined, 'mark', undefined]);
  });

  it('given a server that says there is more and gives nothing, when it is asked, then it is asked again later and not at once', () => {
    const core = createSyncCore<Entry, View>({ window: 200, have: [['c', 5]] });
    let effects = core.handle({ type: 'connected' });
    const waits: number[] = [];
    for (let round = 0; round < 7; round += 1) {
      const { request } = requestOf(effects);
      const page = { conversation: { id: 'c', head: 9 }, entries: [], hasMore: true };
      const after = core.handle({
        type: 'answer',
        request,
        answer: { conversations: [page], removed: [], token: 't' },
      });
      waits.push(...after.flatMap((effect) => (effect.type === 'retry' ? [effect.ms] : [])));
      effects = core.handle({ type: 'retry' });
    }
    expect(waits).toEqual([250, 500, 1_000, 2_000, 4_000, 5_000, 5_000]);
  });

  it('given a flood of entries far ahead, when they are held, then no more than a bound are, and sync brings the rest', () => {
    const core = createSyncCore<Entry, View>({ window: 200, have: [['c', 0]] });
    requestOf(core.handle({ type: 'connected' }));
    for (let seq = 2; seq <= 3_000; seq += 1) core.handle(entry(seq));
    const effects = core.handle(entry(1));
    expect(applied(effects)).toEqual(Array.from({ length: 1_001 }, (_, at) => at + 1));
    expect(core.heads()).toEqual({ c: 1_001 });
  });

  it('given an answer to a question from before the connection broke, when it comes, then it is ignored', () => {
    const core = createSyncCore<Entry, View>({ window: 200, have: [['c', 5]] });
    const { request } = requestOf(core.handle({ type: 'connected' }));
    core.handle({ type: 'disconnected' });
    const stale = { conversations: [], removed: ['c'], token: 't' };
    expect(core.handle({ type: 'answer', request, answer: stale })).toEqual([]);
    expect(core.heads()).toEqual({ c: 5 });
  });
});
