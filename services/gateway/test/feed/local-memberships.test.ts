import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MembershipWorld } from './membership-world.ts';

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
    const user = fc.constantFrom('ada', 'bob', 'eve');
    const late = fc.option(fc.integer({ min: 0, max: 300 }), { nil: undefined, freq: 4 });
    const step = fc.record({
      what: fc.constantFrom('message', 'message', 'add', 'remove', 'attach'),
      user,
      late,
      lagMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 400 })),
      pauseMs: fc.integer({ min: 0, max: 120 }),
      latencyMs: fc.integer({ min: 1, max: 60 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const world = new MembershipWorld();
        world.commit(added('ada', 'bob'), 0);
        const attaching: Promise<void>[] = [];
        const asked = new Set<string>();
        for (const { what, user: userId, late: lateMs, lagMs, pauseMs, latencyMs } of steps) {
          world.latencyMs = latencyMs;
          if (what === 'message') world.commit(message, lateMs);
          else if (what === 'add' && !world.isMember(userId)) world.commit(added(userId), lateMs, lagMs);
          else if (what === 'remove' && world.isMember(userId)) world.commit(removed(userId), lateMs, lagMs);
          else if (what === 'attach' && !asked.has(userId)) {
            asked.add(userId);
            attaching.push(world.attach(userId));
          }
          await world.timers.advance(pauseMs);
        }
        await world.timers.advance(10_000);
        await Promise.all(attaching);

        for (const userId of asked) {
          const seqs = world.seqsOf(userId);
          const stays = world.stays(userId);
          const synced = world.synced.get(userId) ?? 0;
          // In order, nothing twice, nothing that is not theirs.
          expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b));
          expect(seqs.filter((seq) => !stays.some((stay) => stay.seqs.includes(seq)))).toEqual([]);
          for (const { seqs: theirs, over } of stays) {
            // All that their own sync does not bring; a stay that was over before they were let in may end early.
            const wanted = theirs.filter((seq) => seq > synced);
            const got = wanted.filter((seq) => seqs.includes(seq));
            expect(got).toEqual(wanted.slice(0, over ? got.length : wanted.length));
          }
          // Whoever is no member at the end was told so, if there was a time to be told of.
          const last = stays.at(-1);
          if (last?.over && (last.seqs.at(-1) ?? 0) > synced) {
            expect(world.told.get(userId)?.at(-1)).toEqual({ kind: 'removed' });
          }
        }
        world.close();
      }),
      { numRuns: 1000 },
    );
  }, 120_000);
});
