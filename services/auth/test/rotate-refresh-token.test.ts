import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { hashOf, parseRefreshToken } from '../src/sessions/refresh-token.ts';
import { graceMs, maxRotationsInGrace, rotateRefreshToken } from '../src/sessions/rotate-refresh-token.ts';
import { createMemorySessionStore } from './support/memory-session-store.ts';
import { freshFamily, outcomeOf, refreshSeconds, rotateParts, testSecrets } from './support/session-family.ts';

const later = () => Date.now() + 60_000;

async function family(pause?: () => Promise<void>) {
  const clock = { now: 1_000_000 };
  const { store, all } = createMemorySessionStore(pause);
  const { session, token } = freshFamily(clock.now);
  all.set(session.id, session);
  const { parts, revoked } = rotateParts(store, () => clock.now);
  const rotate = (text: string) => outcomeOf(rotateRefreshToken(parts, text, later()));
  const now = () => all.get(session.id);
  /** Whether this token is the one that can be rotated. */
  const isCurrent = (text: string): boolean => {
    const parsed = parseRefreshToken(text);
    return (
      parsed !== undefined && now()?.endedAt === undefined && hashOf(parsed).equals(now()?.tokenHash ?? Buffer.alloc(0))
    );
  };
  return { clock, parts, revoked, token, sessionId: session.id, rotate, now, isCurrent };
}

describe('rotateRefreshToken', () => {
  it('given a token, when it is rotated, then its successor is the one current token and the session lives on', async () => {
    const { clock, token, rotate, now, isCurrent } = await family();
    clock.now += 5_000;
    const next = await rotate(token);
    expect(next).toMatch(/^bwr_/);
    expect([isCurrent(token), isCurrent(next)]).toEqual([false, true]);
    expect(now()).toMatchObject({
      endedAt: undefined,
      lastUsedAt: clock.now,
      expiresAt: clock.now + refreshSeconds * 1000,
    });
  });

  it('given a rotated token, when it comes again within 10 s, then it gets the same successor; a moment later the family ends', async () => {
    const { clock, revoked, token, sessionId, rotate } = await family();
    const next = await rotate(token);
    clock.now += graceMs;
    expect(await rotate(token)).toBe(next);
    expect(revoked).toEqual([]);
    clock.now += 1;
    expect(await rotate(token)).toBe('REFRESH_TOKEN_REUSED');
    expect(revoked).toEqual([sessionId]);
    expect(await rotate(next)).toBe('SESSION_REVOKED');
    expect(await rotate(token)).toBe('SESSION_REVOKED');
    expect(revoked).toEqual([sessionId]);
  });

  it('given an unused session, when its time is over, then SESSION_REVOKED', async () => {
    const { clock, token, rotate } = await family();
    clock.now += refreshSeconds * 1000;
    expect(await rotate(token)).toBe('SESSION_REVOKED');
  });

  it('given a token that was invented for a session, when it comes, then TOKEN_INVALID and the session lives on', async () => {
    const { token, rotate, isCurrent } = await family();
    const bytes = Buffer.from(token.slice(4), 'base64url');
    for (const position of [0, 20, 40, 79]) {
      const forged = Buffer.from(bytes);
      forged[position] = (forged[position] ?? 0) ^ 1;
      expect(await rotate(`bwr_${forged.toString('base64url')}`)).toBe('TOKEN_INVALID');
    }
    expect(isCurrent(token)).toBe(true);
  });

  it('given any text, when it is taken for a token, then TOKEN_INVALID', async () => {
    const { rotate } = await family();
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string(),
          fc.base64String().map((text) => `bwr_${text}`),
        ),
        async (text) => {
          expect(await rotate(text)).toBe('TOKEN_INVALID');
        },
      ),
    );
  });

  it('given more rotations within one grace than are remembered, when another comes, then it waits until one left', async () => {
    const { clock, token, rotate } = await family();
    const chain = [token];
    for (let count = 0; count < maxRotationsInGrace; count += 1) chain.push(await rotate(chain.at(-1) ?? ''));
    const last = chain.at(-1) ?? '';
    expect(await rotate(last)).toBe('RATE_LIMITED');
    // Every remembered one still answers what it answered.
    for (const [index, one] of chain.slice(0, -1).entries()) expect(await rotate(one)).toBe(chain[index + 1]);
    clock.now += graceMs + 1;
    expect(await rotate(last)).toMatch(/^bwr_/);
  });

  it('given a key rotation, when an older key made the successor, then the repeat still gets it; without that key TOKEN_INVALID', async () => {
    const { clock, parts, token, rotate } = await family();
    const next = await rotate(token);
    const second = testSecrets('second');
    const both = { current: 'second', byKid: new Map([...second.byKid, ...parts.secrets.byKid]) };
    expect(await outcomeOf(rotateRefreshToken({ ...parts, secrets: both }, token, later()))).toBe(next);
    expect(await outcomeOf(rotateRefreshToken({ ...parts, secrets: second }, token, later()))).toBe('TOKEN_INVALID');
    clock.now += 1_000;
    expect(await outcomeOf(rotateRefreshToken({ ...parts, secrets: second }, next, later()))).toMatch(/^bwr_/);
  });
});

type Action = { kind: 'refresh'; which: number } | { kind: 'wait'; ms: number };
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('refresh' as const), which: fc.nat(20) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(1, 3_000, graceMs, graceMs + 1) }),
  },
);

describe('the guarantee of refresh', () => {
  it('given any sequence of refreshes, repeats and pauses, when it is played, then it goes as the rule says', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 40 }), async (actions) => {
        const { clock, token, rotate, isCurrent } = await family();
        // The rule, as a model: a chain of tokens, when each was rotated, and whether the family has ended.
        const chain = [{ token, rotatedAt: Number.NaN }];
        let ended = false;
        for (const one of actions) {
          if (one.kind === 'wait') {
            clock.now += one.ms;
            continue;
          }
          const index = one.which % chain.length;
          const used = chain[index] ?? { token: '', rotatedAt: 0 };
          const answer = await rotate(used.token);
          const isLast = index === chain.length - 1;
          if (ended) expect(answer).toBe('SESSION_REVOKED');
          else if (isLast && answer === 'RATE_LIMITED') expect(chain.length).toBeGreaterThan(maxRotationsInGrace);
          else if (isLast) {
            used.rotatedAt = clock.now;
            chain.push({ token: answer, rotatedAt: Number.NaN });
          } else if (clock.now - used.rotatedAt <= graceMs) expect(answer).toBe(chain[index + 1]?.token);
          else {
            expect(answer).toBe('REFRESH_TOKEN_REUSED');
            ended = true;
          }
          expect(chain.map((link) => isCurrent(link.token))).toEqual(
            chain.map((_link, at) => !ended && at === chain.length - 1),
          );
        }
        expect(new Set(chain.map((link) => link.token)).size).toBe(chain.length);
      }),
      { numRuns: 300 },
    );
  });

  it('given calls that interleave at every await, when all are answered, then there is one successor and nothing more', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.integer({ min: 2, max: 6 }), async (scheduler, callers) => {
        let scheduled = false;
        const pause = () => (scheduled ? scheduler.schedule(Promise.resolve()) : Promise.resolve());
        const { token, rotate, isCurrent } = await family(pause);
        scheduled = true;
        const answers = Promise.all(Array.from({ length: callers }, () => rotate(token)));
        const all = await scheduler.waitFor(answers);
        scheduled = false;
        expect(new Set(all).size).toBe(1);
        expect(isCurrent(all[0] ?? '')).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('given a thief and the owner, when their calls interleave and time passes, then after a reuse no token works', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(fc.nat(3), { minLength: 2, maxLength: 6 }),
        async (scheduler, picks) => {
          let scheduled = false;
          const pause = () => (scheduled ? scheduler.schedule(Promise.resolve()) : Promise.resolve());
          const { clock, token, rotate, revoked, now } = await family(pause);
          const chain = [token];
          for (let count = 0; count < 3; count += 1) {
            chain.push(await rotate(chain.at(-1) ?? ''));
            clock.now += graceMs + 1;
          }
          scheduled = true;
          const answers = await scheduler.waitFor(Promise.all(picks.map((pick) => rotate(chain[pick] ?? ''))));
          scheduled = false;
          const isReused = answers.includes('REFRESH_TOKEN_REUSED');
          expect(isReused).toBe(picks.some((pick) => pick < 3));
          expect(now()?.endedAt !== undefined).toBe(isReused);
          expect(revoked.length > 0).toBe(isReused);
          if (!isReused) return;
          const known = [...new Set([...chain, ...answers.filter((answer) => answer.startsWith('bwr_'))])];
          for (const one of known) expect(await rotate(one)).toBe('SESSION_REVOKED');
        },
      ),
      { numRuns: 300 },
    );
  });
});
