import { afterEach, describe, expect, it } from '@jest/globals';
import { setTimeout as pause } from 'node:timers/promises';
import fc from 'fast-check';
import { EventBudget } from '../../src/ws/event-budget.ts';
import { EventDeadlines } from '../../src/ws/event-deadlines.ts';
import { originIsAllowed } from '../../src/ws/origin-check.ts';

describe('EventBudget', () => {
  it('given a burst, when it is used up, then one more is allowed after the time it names', () => {
    let now = 0;
    const budget = new EventBudget({ burst: 3, perSecond: 10, now: () => now });

    expect([budget.take(), budget.take(), budget.take(), budget.take()]).toEqual([0, 0, 0, 100]);
    expect(budget.refused).toBe(1);
    now += 50;
    expect(budget.take()).toBe(50);
    now += 50;
    expect(budget.take()).toBe(0);
    expect(budget.refused).toBe(0);
  });

  it('given any pace, when events are taken, then never more than the burst and the rate allow', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 500 }), { maxLength: 200 }), (pauses) => {
        let now = 0;
        let served = 0;
        const budget = new EventBudget({ burst: 5, perSecond: 20, now: () => now });
        for (const ms of pauses) {
          now += ms;
          if (budget.take() === 0) served += 1;
        }
        expect(served).toBeLessThanOrEqual(5 + now / 50);
      }),
    );
  });
});

describe('EventDeadlines', () => {
  let deadlines: EventDeadlines | undefined;
  afterEach(() => deadlines?.close());

  it('given events under way, when their time is over, then those that were not answered expire, once', async () => {
    deadlines = new EventDeadlines();
    const expired: string[] = [];
    const due = (name: string, ms: number) => ({ deadline: Date.now() + ms, expire: () => void expired.push(name) });
    const answered = due('answered', 50);
    deadlines.add(answered);
    deadlines.add(due('late', 60));
    deadlines.add(due('young', 5_000));
    deadlines.done(answered);

    await pause(400);

    expect(expired).toEqual(['late']);
    expect(deadlines.size).toBe(1);
  });
});

describe('originIsAllowed', () => {
  const allowed = (origin: string | undefined, list: string[], host = 'chat.example.com') =>
    originIsAllowed({ headers: { host, ...(origin === undefined ? {} : { origin }) } }, list);

  it.each([
    ['no origin', undefined, [], true],
    ['the own host', 'https://chat.example.com', [], true],
    ['a listed one', 'https://app.example.com', ['https://app.example.com'], true],
    ['any, when all are allowed', 'https://evil.example.com', ['*'], true],
    ['another', 'https://evil.example.com', ['https://app.example.com'], false],
    ['another port of the own host', 'https://chat.example.com:8443', [], false],
    ['null', 'null', ['https://app.example.com'], false],
    ['a prefix of a listed one', 'https://app.example.com.evil.com', ['https://app.example.com'], false],
  ])('given %s, when a page connects, then the answer is as listed', (_name, origin, list, expected) => {
    expect(allowed(origin, list)).toBe(expected);
  });
});
