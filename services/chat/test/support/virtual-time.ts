import { jest } from '@jest/globals';

/** Time that passes only when it is told to: timers and dates are simulated, turns of the event loop are real. */
export function startVirtualTime(): void {
  jest.useFakeTimers({
    now: 1_700_000_000_000,
    doNotFake: ['setImmediate', 'clearImmediate', 'nextTick', 'queueMicrotask', 'performance', 'hrtime'],
  });
}

export function stopVirtualTime(): void {
  jest.clearAllTimers();
  jest.useRealTimers();
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Lets time pass, timer by timer, until `done`. @returns whether that was so within `ms`. */
export async function passUntil(done: () => boolean, ms: number): Promise<boolean> {
  const end = Date.now() + ms;
  for (;;) {
    // What one timer sets off ends within two turns: a gathered batch, and what its answer starts.
    await turn();
    await turn();
    if (done()) return true;
    if (Date.now() >= end) return false;
    jest.advanceTimersToNextTimer();
  }
}

/** Numbers in [0, 1) that are the same for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
