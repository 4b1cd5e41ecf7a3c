import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Action, actionKinds, type Scenario, simulate } from './support/simulate.ts';
import { startVirtualTime, stopVirtualTime } from './support/virtual-time.ts';

/** Another seed: TEST_SEED=n. A failure prints the scenario and its seed. */
const seed = Number(process.env['TEST_SEED'] ?? 20_260_101);
const numRuns = Number(process.env['TEST_RUNS'] ?? 300);

beforeEach(startVirtualTime);
afterEach(stopVirtualTime);

const when = fc.oneof(fc.integer({ min: 0, max: 6_000 }), fc.integer({ min: 0, max: 45_000 }));
const kind = fc.oneof(
  { arbitrary: fc.constant('send' as const), weight: 2 },
  { arbitrary: fc.constantFrom(...actionKinds), weight: 3 },
);
const user = fc.integer({ min: 0, max: 4 });
const action: fc.Arbitrary<Action> = fc.record({
  ...{ at: when, kind, user },
  conversation: fc.constantFrom(0, 0, 0, 1, 2),
});
/** Many at once for one conversation, so that batches of one conversation form. */
const burst: fc.Arbitrary<Action[]> = fc
  .tuple(when, fc.array(fc.record({ kind, user }), { minLength: 8, maxLength: 40 }))
  .map(([at, some]) => some.map((one) => ({ ...one, at, conversation: 0 })));

const outage = fc.record({
  from: when,
  ms: fc.oneof(fc.integer({ max: 2_000, min: 50 }), fc.integer({ min: 0, max: 30_000 })),
});
const chance = (most: number) => fc.oneof(fc.constant(0), fc.double({ min: 0, max: most, noNaN: true }));
const replica = fc.record({
  diesAtStep: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.integer({ min: 1, max: 400 })),
  skewMs: fc.integer({ min: -400, max: 400 }),
  leaseOutage: fc.oneof(fc.constant({ from: 0, ms: 0 }), outage),
});

const scenario: fc.Arbitrary<Scenario> = fc.record({
  seed: fc.integer(),
  troubles: fc.record({
    unknownInsert: fc.oneof(chance(0.3), chance(0.95)),
    unknownDocument: chance(0.1),
    failedRead: fc.oneof(chance(0.1), chance(0.4)),
    slow: chance(0.02),
    lostPublish: chance(0.2),
    failover: chance(0.1),
  }),
  storeOutages: fc.array(outage, { maxLength: 2 }),
  busOutages: fc.array(outage, { maxLength: 2 }),
  processes: fc.array(replica, { minLength: 2, maxLength: 4 }),
  survive: fc.boolean(),
  maxKept: fc.constantFrom(0, 2, 10_000),
  actions: fc
    .tuple(fc.array(action, { minLength: 5, maxLength: 40 }), fc.array(burst, { maxLength: 2 }))
    .map(([some, bursts]) => [...some, ...bursts.flat()]),
});

describe('given several replicas on one log', () => {
  it('when anything fails at any time, then the guarantees hold', async () => {
    let [committed, acknowledged] = [0, 0];
    const property = fc.asyncProperty(scenario, async (one) => {
      const outcome = await simulate(one);
      committed += outcome.committed;
      acknowledged += outcome.acknowledged;
      expect(outcome.faults).toEqual([]);
    });
    await fc.assert(property, { seed, numRuns, endOnFailure: true });
    // The scenarios do get somewhere.
    expect(committed).toBeGreaterThan(numRuns * 10);
    expect(acknowledged).toBeGreaterThan(numRuns * 10);
  }, 300_000);
});

describe('given a process that dies', () => {
  const calm = { unknownInsert: 0, unknownDocument: 0, failedRead: 0, slow: 0, lostPublish: 0, failover: 0 };
  const never = { from: 0, ms: 0 };
  const immortal = { diesAtStep: Number.POSITIVE_INFINITY, skewMs: 0, leaseOutage: never };
  const quiet = { storeOutages: [], busOutages: [], survive: true, maxKept: 3 };
  const script: Action[] = [
    ...[0, 1, 2, 3, 4, 0, 1, 2, 3].map((sender): Action => ({ at: 0, kind: 'send', conversation: 0, user: sender })),
    { at: 100, kind: 'edit', conversation: 0, user: 0 },
    { at: 100, kind: 'direct', conversation: 0, user: 2 },
    { at: 200, kind: 'leave', conversation: 0, user: 3 },
    { at: 200, kind: 'send', conversation: 0, user: 3 },
    { at: 250, kind: 'delete', conversation: 0, user: 1 },
    { at: 300, kind: 'add', conversation: 0, user: 3 },
  ];

  const one: Action[] = [{ at: 0, kind: 'send', conversation: 0, user: 1 }];
  const lost = { ...calm, unknownInsert: 1 };
  const cases: [string, Omit<Scenario, 'seed' | 'processes'>][] = [
    ['writes are answered', { ...quiet, troubles: calm, actions: script }],
    ['writes are not answered and arrive late', { ...quiet, troubles: lost, actions: script }],
    // Its lease ends after 10 s and is looked at then, and again 10 s later.
    ['a write arrives when its lease is over', { ...quiet, troubles: lost, lateMs: 14_000, tries: 1, actions: one }],
    ['reads fail now and then', { ...quiet, troubles: { ...calm, failedRead: 0.3 }, actions: script }],
    ['the bus loses half of what is published', { ...quiet, troubles: { ...calm, lostPublish: 0.5 }, actions: script }],
  ];

  it.each(cases)(
    'at each of its steps, when %s, then another one finishes what it left',
    async (_what, rest) => {
      let died = true;
      for (let step = 1; died; step += 1) {
        const processes = [{ ...immortal, diesAtStep: step }, immortal];
        const { faults, steps } = await simulate({ ...rest, seed: step, processes });
        expect({ step, faults }).toEqual({ step, faults: [] });
        died = (steps[0] ?? 0) >= step && step < 70;
      }
    },
    240_000,
  );
});
