import { describe, expect, it } from '@jest/globals';
import { AppError } from '@bluewave/errors/app-error';
import { AdmissionControl } from '../../src/ws/admission-control.ts';
import { VirtualTimers } from '../feed/virtual-timers.ts';

/** Numbers in [0, 1) that are the same in each run. */
function seededRandom(): () => number {
  let state = 7;
  return () => (state = (state * 16_807) % 2_147_483_647) / 2_147_483_647;
}

/** A platform that serves one handshake in `serviceMs`, and all that are under way share it; deadline 2 s. */
function createPlatform(timers: VirtualTimers, serviceMs: () => number) {
  let active = 0;
  const handshake = async (): Promise<string> => {
    active += 1;
    try {
      const neededMs = active * serviceMs();
      await timers.delay(Math.min(neededMs, 2_000));
      if (neededMs > 2_000) throw new AppError('DEADLINE_EXCEEDED', 'too slow');
      return 'in';
    } finally {
      active -= 1;
    }
  };
  return handshake;
}

/** Clients that all come at once and come back as the SDK does. @returns tries of each, and when all were in. */
async function storm(clients: number, serviceMs: () => number): Promise<{ tries: number[]; endedAt: number }> {
  const timers = new VirtualTimers();
  const random = seededRandom();
  const control = new AdmissionControl({ now: () => timers.now, random });
  const handshake = createPlatform(timers, serviceMs);
  const tries = Array.from({ length: clients }, () => 0);
  let inside = 0;
  let endedAt = 0;
  const client = async (index: number): Promise<void> => {
    for (;;) {
      tries[index] = (tries[index] ?? 0) + 1;
      try {
        await control.run(handshake, () => true);
        inside += 1;
        endedAt = timers.now;
        return;
      } catch (thrown) {
        const ceiling = Math.min(5_000, 1_000 * 2 ** ((tries[index] ?? 1) - 1));
        await timers.delay(Math.max((thrown as AppError).retryAfterMs ?? 0, random() * ceiling));
      }
    }
  };
  for (let index = 0; index < clients; index += 1) void client(index);
  for (let turn = 0; inside < clients && turn < 600; turn += 1) await timers.advance(500);
  expect(inside).toBe(clients);
  return { tries, endedAt };
}

const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('AdmissionControl', () => {
  it('given few who connect, when there is room, then each is served at once', async () => {
    const control = new AdmissionControl({ now: () => 0, random: () => 0 });

    const served = await Promise.all(
      Array.from({ length: 30 }, (_, n) =>
        control.run(
          async () => n,
          () => true,
        ),
      ),
    );

    expect(served).toEqual(Array.from({ length: 30 }, (_, n) => n));
  });

  it.each([
    ['quick', 10, 400],
    ['slow', 60, 400],
    ['very slow', 300, 120],
  ])(
    'given a %s platform, when a storm comes, then all are in at nearly its pace, after few tries each',
    async (_name, serviceMs, clients) => {
      const { tries, endedAt } = await storm(clients, () => serviceMs);

      expect(endedAt).toBeLessThan(clients * serviceMs * 2.5 + 5_000);
      expect(mean(tries)).toBeLessThan(4);
    },
    30_000,
  );

  it('given more than can be served soon, when they are sent away, then each gets a time of its own to come back', async () => {
    const timers = new VirtualTimers();
    const control = new AdmissionControl({ now: () => timers.now, random: seededRandom() });
    // What is measured first says that a handshake takes a second.
    const first = Array.from({ length: 32 }, () =>
      control.run(
        () => timers.delay(1_000),
        () => true,
      ),
    );
    await timers.advance(1_000);
    await Promise.all(first);
    const times: number[] = [];
    const later = Array.from({ length: 500 }, () =>
      control
        .run(
          () => timers.delay(1_000),
          () => true,
        )
        .catch((error: AppError) => {
          if (timers.now === 1_000) times.push(error.retryAfterMs ?? 0);
          return error.code;
        }),
    );
    await timers.advance(0);

    expect(times.length).toBeGreaterThan(300);
    expect(Math.min(...times)).toBeGreaterThanOrEqual(500);
    expect(Math.max(...times)).toBeLessThanOrEqual(30_000);
    expect([...times].sort((a, b) => a - b)).toEqual(times);
    expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeGreaterThan(5_000);
    for (let turn = 0; turn < 40; turn += 1) await timers.advance(500);
    expect(new Set(await Promise.all(later))).toEqual(new Set([undefined, 'UNAVAILABLE']));
  });

  it('given somebody who has gone while waiting, when it is their turn, then nothing is done for them', async () => {
    const control = new AdmissionControl({ now: () => 0, random: () => 0 });
    let done = 0;

    const work = control.run(
      async () => {
        done += 1;
      },
      () => false,
    );

    await expect(work).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(done).toBe(0);
  });

  it('given a refusal for good, when it is thrown, then it comes through as it is', async () => {
    const control = new AdmissionControl({ now: () => 0, random: () => 0 });
    const refusal = new AppError('TOKEN_INVALID', 'no');

    await expect(
      control.run(
        () => Promise.reject(refusal),
        () => true,
      ),
    ).rejects.toBe(refusal);
  });
});
