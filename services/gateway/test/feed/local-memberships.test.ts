import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MembershipWorld, type Stay } from './membership-world.ts';

const message = { memberUpdated: { userId: 'someone', role: 'member', demotedUserId: '' } };
const added = (...userIds: string[]) => ({ membersAdded: { userIds, created: null } });
const removed = (userId: string) => ({ memberRemoved: { userId, banned: false } });

/** Lets sockets of these users in, all at once. */
async function letIn(world: MembershipWorld, ...userIds: string[]): Promise<void> {
  const attaching = userIds.map((userId) => world.attach(userId));
  await world.timers.advance(100);
  await Promise.all(attaching);
}

describe('LocalMemberships', () => {
  it('given a member, when entries come, then they are told each after the head at which they came', async () => {
    const world = new MembershipWorld();
    world.commit(added('ada'), 0);
    world.commit(message, 0);
    await letIn(world, 'ada');

    world.commit(message, 5);
    world.commit(message, undefined);
    world.signal();
    await world.timers.advance(2_000);

    expect(world.told.get('ada')).toEqual([
      { kind: 'entry', seq: 3 },
      { kind: 'entry', seq: 4 },
    ]);
    world.close();
  });

  it('given a member, when they are removed and added again, then they are told of it around exactly their entries', async () => {
    const world = new MembershipWorld();
    world.commit(added('ada', 'bob'), 0);
    await letIn(world, 'ada', 'bob');

    for (const body of [message, removed('ada'), message, added('ada'), message]) world.commit(body, 1);
    await world.timers.advance(2_000);

    expect(world.told.get('ada')).toEqual([
      { kind: 'entry', seq: 2 },
      { kind: 'entry', seq: 3 },
      { kind: 'removed' },
      { kind: 'added' },
      { kind: 'entry', seq: 5 },
      { kind: 'entry', seq: 6 },
    ]);
    expect(world.seqsOf('bob')).toEqual([2, 3, 4, 5, 6]);
    world.close();
  });

  it('given a removal that the feed has delivered, when an older list of memberships comes in, then it does not count', async () => {
    const world = new MembershipWorld();
    world.commit(added('ada', 'bob'), 0);
    await letIn(world, 'bob');
    world.latencyMs = 50;

    const second = world.attach('ada');
    await world.timers.advance(60);
    world.commit(removed('ada'), 1);
    await world.timers.advance(10);
    world.latencyMs = 3;
    await world.timers.advance(100);
    await second;
    world.commit(message, 1);
    await world.timers.advance(2_000);

    expect(world.told.get('ada')).toEqual([{ kind: 'removed' }]);
    expect(world.seqsOf('bob')).toEqual([2, 3]);
    world.close();
  });

  it('given a removal that the feed has delivered before it is projected, when they come meanwhile, then they hear nothing after it', async () => {
    const world = new MembershipWorld();
    world.commit(added('ada', 'bob'), 0);
    await letIn(world, 'bob');
    world.commit(removed('ada'), 1, 1_000);
    world.commit(message, 1);
    await world.timers.advance(500);
    expect(world.seqsOf('bob')).toEqual([2, 3]);

    await letIn(world, 'ada');
    world.commit(message, 1);
    await world.timers.advance(2_000);

    expect(world.told.get('ada')).toEqual([{ kind: 'added' }, { kind: 'entry', seq: 2 }, { kind: 'removed' }]);
    expect(world.seqsOf('bob')).toEqual([2, 3, 4]);
    world.close();
  });

  it('given who comes after they were removed and added again, when the feed gets to their removal, then they stay', async () => {
    const world = new MembershipWorld();
    world.commit(added('ada', 'bob'), 0);
    await letIn(world, 'bob');
    for (const body of [removed('ada'), added('ada')]) world.commit(body, undefined);
    await world.timers.advance(1);

    await letIn(world, 'ada');
    world.commit(message, 1);
    await world.timers.advance(2_000);

    expect(world.told.get('ada')).toEqual([{ kind: 'entry', seq: 4 }]);
    expect(world.seqsOf('bob')).toEqual([2, 3, 4]);
    world.close();
  });

  it('given who is let in by the entry that removes another, when later entries are at hand, then they hear all of them', async () => {
    const world = new MembershipWorld();
    world.commit(added('ada', 'bob'), 0);
    await letIn(world, 'ada');
    world.latencyMs = 50;
    world.commit(removed('ada'), undefined);
    await world.timers.advance(1);
    world.latencyMs = 1;
    const second = world.attach('bob');
    await world.timers.advance(2);

    for (const body of [message, added('ada'), message]) world.commit(body, undefined);
    await world.timers.advance(2_000);
    await second;

    expect(world.seqsOf('bob')).toEqual([3, 4, 5]);
    expect(world.told.get('ada')).toEqual([
      { kind: 'entry', seq: 2 },
      { kind: 'removed' },
      { kind: 'added' },
      { kind: 'entry', seq: 4 },
      { kind: 'entry', seq: 5 },
    ]);
    world.close();
  });

  it('given who connects between a removal and an addition that both wait to be projected, then they are told of the second', async () => {
    const world = new MembershipWorld();
    world.commit(added('ada', 'bob'), 0);
    await letIn(world, 'bob');
    world.latencyMs = 5;
    world.commit(removed('ada'), undefined, 7);
    const second = world.attach('ada');
    await world.timers.advance(5);
    world.latencyMs = 1;
    for (const body of [added('ada'), message]) world.commit(body, undefined, 5);

    await world.timers.advance(2_000);
    await second;

    expect(world.synced.get('ada')).toBe(2);
    expect(world.told.get('ada')).toEqual([{ kind: 'added' }, { kind: 'entry', seq: 3 }, { kind: 'entry', seq: 4 }]);
    world.close();
  });

  it('given a removal and an addition that the bus lost, when it is back, then they are in as of the list that is read', async () => {
    const world = new MembershipWorld();
    world.commit(added('ada'), 0);
    await letIn(world, 'ada');
    world.bus.break(false);
    for (const body of [removed('ada'), added('ada'), message]) world.commit(body, 0);
    await world.timers.advance(1);

    world.bus.heal();
    await world.timers.advance(100);
    world.commit(message, 0);
    await world.timers.advance(2_000);

    expect(world.told.get('ada')).toEqual([
      { kind: 'entry', seq: 2 },
      { kind: 'removed' },
      { kind: 'added' },
      { kind: 'entry', seq: 5 },
    ]);
    expect(world.shown.get('ada')).toEqual([4]);
    world.close();
  });

  it('given a removal that a feed delivers before it is projected, when an older list is read after it, then it does not count', async () => {
    const world = new MembershipWorld();
    world.commit(added('ada'), 0);
    await letIn(world, 'ada');
    world.bus.break(false);
    world.commit(removed('ada'), undefined, 500);
    world.bus.heal();
    await world.timers.advance(100);

    world.bus.break(false);
    world.bus.heal();
    await world.timers.advance(2_000);

    expect(world.told.get('ada')).toEqual([{ kind: 'entry', seq: 2 }, { kind: 'removed' }]);
    world.close();
  });

  it('given nobody left, when time passes, then nothing is followed any more', async () => {
    const world = new MembershipWorld();
    world.commit(added('ada'), 0);
    await letIn(world, 'ada');
    const user = world.attached.get('ada');
    expect(world.feeds.size).toBe(1);

    if (user) world.memberships.detach(user);
    await world.timers.advance(9_000);
    expect(world.feeds.size).toBe(1);
    await world.timers.advance(2_000);

    expect(world.feeds.size).toBe(0);
    expect(world.memberships.find('ada')).toBeUndefined();
    world.close();
  });

  it('given any comings, goings, delays and losses, then everybody is told exactly the entries of their time', async () => {
    await expectForAll(changes, [lateNotice]);
  }, 120_000);

  it('given any of it and times without the bus, then everybody is told exactly the entries of their time', async () => {
    await expectForAll([...changes, ...outages], [listBeforeAddition]);
  }, 120_000);
});

const changes = ['message', 'message', 'add', 'remove', 'attach'] as const;
const outages = ['break', 'hang', 'heal'] as const;

type Step = {
  what: (typeof changes | typeof outages)[number];
  user: string;
  late: number | undefined;
  lagMs: number;
  pauseMs: number;
  latencyMs: number;
};

function step(...whats: Step['what'][]): fc.Arbitrary<Step> {
  return fc.record({
    what: fc.constantFrom(...whats),
    user: fc.constantFrom('ada', 'bob', 'eve'),
    late: fc.option(fc.integer({ min: 0, max: 300 }), { nil: undefined, freq: 4 }),
    lagMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 400 })),
    pauseMs: fc.integer({ min: 0, max: 120 }),
    latencyMs: fc.integer({ min: 1, max: 60 }),
  });
}

const next = (what: Step['what'], user: string, pauseMs: number, latencyMs: number, late?: number, lagMs = 0): Step => {
  return { what, user, late, lagMs, pauseMs, latencyMs };
};

/** Somebody hears that they were added when the feed has delivered that they were removed and added again. */
const lateNotice: Step[] = [
  next('attach', 'ada', 0, 1),
  next('attach', 'bob', 0, 1),
  next('remove', 'ada', 0, 1),
  next('message', 'ada', 1, 1),
  next('add', 'ada', 0, 1, 2, 5),
  next('message', 'ada', 0, 1, 0),
  next('message', 'ada', 3, 2),
  next('message', 'ada', 0, 1),
  next('remove', 'ada', 0, 1, undefined, 2),
  next('add', 'ada', 0, 1, undefined, 4),
];

/** A list is read before a removal and an addition, and comes when a feed has delivered both and neither is projected. */
const listBeforeAddition: Step[] = [
  next('attach', 'ada', 0, 1),
  next('attach', 'bob', 0, 1),
  next('break', 'ada', 0, 1),
  next('message', 'ada', 1, 1),
  next('heal', 'ada', 1, 3),
  next('message', 'ada', 1, 1),
  next('message', 'ada', 2, 21),
  next('message', 'ada', 1, 1),
  next('message', 'ada', 0, 1),
  next('remove', 'bob', 3, 1),
  next('message', 'ada', 1, 1),
  next('message', 'ada', 2, 1),
  next('add', 'bob', 0, 1, undefined, 14),
];

async function expectForAll(whats: readonly Step['what'][], found: Step[][]): Promise<void> {
  const steps = fc.array(step(...whats), { maxLength: 60 });
  const property = fc.asyncProperty(steps, async (these) => {
    const world = new MembershipWorld();
    const asked = await live(world, these);
    for (const userId of asked) expectExactly(world, userId);
  });
  await fc.assert(property, { numRuns: 1000, examples: found.map((one) => [one]) });
}

/** Runs all steps and what follows from them. @returns who was let in */
async function live(world: MembershipWorld, steps: readonly Step[]): Promise<Set<string>> {
  world.commit(added('ada', 'bob'), 0);
  const attaching: Promise<void>[] = [];
  const asked = new Set<string>();
  for (const { what, user: userId, late: lateMs, lagMs, pauseMs, latencyMs } of steps) {
    world.latencyMs = latencyMs;
    if (what === 'message') world.commit(message, lateMs);
    else if (what === 'add' && !world.isMember(userId)) world.commit(added(userId), lateMs, lagMs);
    else if (what === 'remove' && world.isMember(userId)) world.commit(removed(userId), lateMs, lagMs);
    else if (what === 'break' || what === 'hang') world.bus.break(what === 'break');
    else if (what === 'heal') world.bus.heal();
    else if (what === 'attach' && !asked.has(userId)) {
      asked.add(userId);
      attaching.push(world.attach(userId));
    }
    await world.timers.advance(pauseMs);
  }
  world.bus.heal();
  await world.timers.advance(10_000);
  await Promise.all(attaching);
  world.close();
  return asked;
}

function expectExactly(world: MembershipWorld, userId: string): void {
  const seqs = world.seqsOf(userId);
  const stays = world.stays(userId);
  const synced = world.synced.get(userId) ?? 0;
  // In order, nothing twice, nothing that is not theirs.
  expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b));
  expect(seqs.filter((seq) => !stays.some((stay) => stay.seqs.includes(seq)))).toEqual([]);
  for (const stay of stays) {
    // All that their own sync does not bring; a stay that was over before they were let in may end early.
    const wanted = stay.seqs.filter((seq) => seq > Math.max(synced, shownWith(world, userId, stay)));
    const got = wanted.filter((seq) => seqs.includes(seq));
    expect(got).toEqual(wanted.slice(0, stay.over ? got.length : wanted.length));
  }
  // Whoever is no member at the end was told so, if there was a time to be told of.
  const last = stays.at(-1);
  if (last?.over && (last.seqs.at(-1) ?? 0) > Math.max(synced, shownWith(world, userId, last))) {
    expect(world.told.get(userId)?.at(-1)).toEqual({ kind: 'removed' });
  }
}

/**
 * From where on they hear a stay when the bus lost that they were added: a list of memberships tells of it, and they sync
 * up to the head with which they were shown the conversation. They hear nothing of a stay whose end was lost as well.
 */
function shownWith(world: MembershipWorld, userId: string, { seqs, over }: Stay): number {
  if (!world.bus.wasBroken) return 0;
  const isWithin = (head: number): boolean => head >= (seqs[0] ?? 0) && (!over || head <= (seqs.at(-1) ?? 0));
  const shown = world.shown.get(userId)?.findLast(isWithin);
  return shown ?? (over ? (world.listed.get(userId)?.findLast(isWithin) ?? Infinity) : 0);
}
