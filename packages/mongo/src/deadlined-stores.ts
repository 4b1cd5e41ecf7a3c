import { within } from '@bluewave/runtime/deadline';

/**
 * The longest that a call of a store may take, in milliseconds: each step of the driver has a limit of its own (choosing
 * a server, getting a connection, the operation, a second try), and no call that is sound takes them all.
 */
export const callMs = 6_000;

/** Hears of each call that ended: how long it took, in milliseconds, and whether it rejected. */
export type OnCall = (store: string, call: string, ms: number, failed: boolean) => void;

/**
 * Gives a store whose calls settle within `ms`, whatever becomes of the driver's promise: one that never settled would
 * hold up for ever whoever shares it. Late calls reject with DEADLINE_EXCEEDED; the outcome of a write that did so is
 * unknown. `name` stands for the store in logs and metrics.
 */
export type Deadlined = <T extends object>(name: string, store: T, ms?: number) => T;

/** @param onCall without it calls are not timed */
export function deadlinedStores(onCall?: OnCall): Deadlined {
  return <T extends object>(name: string, store: T, ms = callMs): T => {
    const bounded = Object.entries(store).map(([key, member]: [string, unknown]) => {
      if (typeof member !== 'function') return [key, member];
      // Callers are shown what is rejected: which call it was is for the log only.
      const call = (...args: unknown[]): unknown => {
        const startedMs = performance.now();
        const result: unknown = Reflect.apply(member, store, args);
        if (!(result instanceof Promise)) return result;
        const settled = within(ms, 'The platform', result, `${name}.${key}`);
        return onCall ? timed(settled, (failed) => onCall(name, key, performance.now() - startedMs, failed)) : settled;
      };
      return [key, call];
    });
    return Object.fromEntries(bounded) as T;
  };
}

async function timed(settled: Promise<unknown>, ended: (failed: boolean) => void): Promise<unknown> {
  let failed = true;
  try {
    const result = await settled;
    failed = false;
    return result;
  } finally {
    ended(failed);
  }
}
