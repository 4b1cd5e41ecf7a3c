import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ConversationFeed, type FeedPage } from '../../src/feed/conversation-feed.ts';
import { VirtualTimers } from './virtual-timers.ts';

type Entry = { seq: number };
const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);

/** A log, a feed of it, and what the feed delivered. */
function setUp(options: { start: number; head?: number; maxHeld?: number; pageSize?: number; onDeliver?: () => void }) {
  const timers = new VirtualTimers();
  const log = { head: options.head ?? options.start, failing: 0, latencyMs: 5, fetches: [] as number[] };
  const delivered: number[] = [];
  const errors: unknown[] = [];
  const prepare = { failing: 0, latencyMs: () => 0 };
  const feed = new ConversationFeed<Entry, string>({
    head: options.start,
    timers,
    random: () => 0.5,
    maxHeld: options.maxHeld ?? 512,
    fetchAfter: async (seq): Promise<FeedPage<Entry>> => {
      log.fetches.push(seq);
      await timers.delay(log.latencyMs);
      if (log.failing > 0) {
        log.failing -= 1;
        throw new Error('the log is away');
      }
      const entries = range(seq + 1, log.head).slice(0, options.pageSize ?? 200);
      return { entries: entries.map((one) => ({ seq: one })), head: log.head };
    },
    prepare: (entry) => {
      const wait = prepare.latencyMs();
      if (wait === 0 && prepare.failing === 0) return `prepared ${entry.seq}`;
      return timers.delay(wait).then(() => {
        if (prepare.failing > 0) {
          prepare.failing -= 1;
          throw new Error('cannot be prepared');
        }
        return `prepared ${entry.seq}`;
      });
    },
    deliver: (prepared, entry) => {
      expect(prepared).toBe(`prepared ${entry.seq}`);
      expect(feed.delivered).toBe(entry.seq);
      options.onDeliver?.();
      delivered.push(entry.seq);
    },
    onError: (error) => errors.push(error),
  });
  return { timers, log, prepare, feed, delivered, errors };
}

describe('ConversationFeed', () => {
  it('given entries in order, when they are offered, then each is delivered at once without asking the log', () => {
    const { feed, delivered, log, timers } = setUp({ start: 7, head: 10 });

    for (const seq of [8, 9, 10]) feed.offer({ seq });

    expect(delivered).toEqual([8, 9, 10]);
    expect(log.fetches).toEqual([]);
    expect({ delivered: feed.delivered, known: feed.known, held: feed.held, timers: timers.waiting }).toEqual({
      delivered: 10,
      known: 10,
      held: 0,
      timers: 0,
    });
  });

  it('given duplicates and old entries, when they are offered, then nothing is delivered twice', () => {
    const { feed, delivered } = setUp({ start: 2, head: 4 });

    for (const seq of [1, 2, 3, 3, 1, 4, 2, 4]) feed.offer({ seq });

    expect(delivered).toEqual([3, 4]);
  });

  it('given a gap that closes within the hold, when the late entry comes, then the log is not asked', async () => {
    const { feed, delivered, log, timers } = setUp({ start: 0, head: 3 });

    feed.offer({ seq: 1 });
    feed.offer({ seq: 3 });
    await timers.advance(99);
    feed.offer({ seq: 2 });
    await timers.advance(5_000);

    expect(delivered).toEqual([1, 2, 3]);
    expect(log.fetches).toEqual([]);
  });

  it('given a lost entry, when a later one waits longer than the hold, then it is read from the log', async () => {
    const { feed, delivered, log, timers } = setUp({ start: 0, head: 3 });

    feed.offer({ seq: 1 });
    feed.offer({ seq: 3 });
    await timers.advance(106);

    expect(delivered).toEqual([1, 2, 3]);
    expect(log.fetches).toEqual([1]);
  });

  it('given a lost last entry, when a beacon tells of it, then it is delivered within 200 ms', async () => {
    const { feed, delivered, timers } = setUp({ start: 4, head: 5 });

    feed.reach(5);
    await timers.advance(200);

    expect(delivered).toEqual([5]);
  });

  it('given an urgent reach, when the log is ahead, then it is asked without the hold', async () => {
    const { feed, delivered, timers, log } = setUp({ start: 4, head: 5 });

    feed.reach(5, true);
    expect(log.fetches).toEqual([4]);
    await timers.advance(5);

    expect(delivered).toEqual([5]);
  });

  it('given a feed that is told of more while it hands an entry on, then that entry is done before the next', async () => {
    const onDeliver = (): void => {
      one.feed.reach(3, true);
      one.feed.offer({ seq: 4 });
    };
    const one = setUp({ start: 0, head: 4, onDeliver });

    one.feed.reach(1, true);
    await one.timers.advance(10);

    expect(one.delivered).toEqual([1, 2, 3, 4]);
  });

  it('given 10,000 missed entries, when a beacon tells of them, then they come page after page without holds', async () => {
    const { feed, delivered, timers, log } = setUp({ start: 0, head: 10_000 });

    feed.reach(10_000);
    await timers.advance(100 + 50 * 5);

    expect(delivered).toEqual(range(1, 10_000));
    expect(log.fetches).toHaveLength(50);
  });

  it('given more entries beyond a gap than may be held, when the gap closes, then the rest is read again', async () => {
    const { feed, delivered, timers, log } = setUp({ start: 0, head: 100, maxHeld: 10, pageSize: 20 });

    for (const seq of range(2, 100)) feed.offer({ seq });
    expect(feed.held).toBe(10);
    await timers.advance(1_000);

    expect(delivered).toEqual(range(1, 100));
    expect(log.fetches[0]).toBe(0);
    expect(feed.held).toBe(0);
  });

  it('given a log that fails, when it answers again, then delivery goes on with growing pauses between tries', async () => {
    const { feed, delivered, timers, log, errors } = setUp({ start: 0, head: 2 });
    log.failing = 4;

    feed.offer({ seq: 2 });
    await timers.advance(5_000);

    expect(delivered).toEqual([1, 2]);
    expect(errors).toHaveLength(4);
    expect(log.fetches).toHaveLength(5);
  });

  it('given an entry that cannot be prepared at first, when it is tried again, then the order is kept', async () => {
    const { feed, delivered, timers, prepare, errors } = setUp({ start: 0, head: 3 });
    prepare.failing = 2;

    for (const seq of [1, 2, 3]) feed.offer({ seq });
    expect(delivered).toEqual([]);
    await timers.advance(1_000);

    expect(delivered).toEqual([1, 2, 3]);
    expect(errors).toHaveLength(2);
  });

  it('given a closed feed, when entries, beacons and a late page come, then nothing is delivered', async () => {
    const { feed, delivered, timers } = setUp({ start: 0, head: 3 });

    feed.reach(3, true);
    feed.close();
    feed.offer({ seq: 1 });
    feed.reach(2);
    await timers.advance(5_000);

    expect(delivered).toEqual([]);
    expect(timers.waiting).toBe(0);
  });

  it('given any order, loss, duplication, failures and pauses, then exactly start + 1 to the head is delivered', async () => {
    const heard = fc.array(
      fc.record({
        kind: fc.constantFrom('entry', 'entry', 'entry', 'beacon', 'urgent'),
        at: fc.integer({ min: 1, max: 60 }),
        pauseMs: fc.integer({ min: 0, max: 150 }),
        fail: fc.integer({ min: 0, max: 2 }),
      }),
      { maxLength: 80 },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 20 }),
        fc.integer({ min: 0, max: 40 }),
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 12 }),
        fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 7 }),
        heard,
        async (start, more, maxHeld, pageSize, waits, events) => {
          const { feed, delivered, log, prepare, timers } = setUp({ start, maxHeld, pageSize });
          const end = start + more;
          let turn = 0;
          prepare.latencyMs = () => waits[turn++ % waits.length] ?? 0;
          for (const event of events) {
            const seq = Math.min(event.at, end);
            // Nobody tells of an entry before it is committed.
            log.head = Math.max(log.head, seq);
            log.failing += event.fail;
            if (event.kind === 'entry') feed.offer({ seq });
            else feed.reach(seq, event.kind === 'urgent');
            await timers.advance(event.pauseMs);
            expect(feed.held).toBeLessThanOrEqual(maxHeld + pageSize + 1);
          }
          log.failing = 0;
          log.head = end;
          feed.reach(end);
          await timers.advance(60_000);

          expect(delivered).toEqual(range(start + 1, end));
          expect(feed.held).toBe(0);
          expect(timers.waiting).toBe(0);
        },
      ),
      { numRuns: 150 },
    );
  }, 60_000);

  it('given any loss and a beacon each second, then every entry is delivered within 2 s of its commit', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ lost: fc.boolean(), pauseMs: fc.integer({ min: 0, max: 900 }) }), { maxLength: 30 }),
        async (commits) => {
          const { feed, log, delivered, timers } = setUp({ start: 0 });
          const committedAt: number[] = [];
          const beacon = (): void => {
            feed.reach(log.head);
            timers.after(1_000, beacon);
          };
          beacon();
          for (const commit of commits) {
            log.head += 1;
            committedAt[log.head] = timers.now;
            if (!commit.lost) feed.offer({ seq: log.head });
            await timers.advance(commit.pauseMs);
            const due = committedAt.filter((at) => at !== undefined && at <= timers.now - 2_000).length;
            expect(delivered.length).toBeGreaterThanOrEqual(due);
          }
          await timers.advance(2_000);
          expect(delivered).toEqual(range(1, log.head));
          feed.close();
        },
      ),
      { numRuns: 100 },
    );
  }, 60_000);
});
