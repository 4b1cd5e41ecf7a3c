import { within } from '@bluewave/runtime/deadline';

/**
 * The longest that a call of a store may take, in milliseconds: each step of the driver has a limit of its own (choosing
 * a server, getting a connection, the operation, a second try), and no call that is sound takes them all.
 */
export const callMs = 6_000;

/**
 * A store whose calls settle within `ms`, whatever becomes of the driver's promise: one that never settled would hold
 * up for ever whoever shares it. Late calls reject with DEADLINE_EXCEEDED; the outcome of a write that did so is unknown.
 */
export function deadlined<T extends object>(store: T, ms = callMs): T {
  const bounded = Object.entries(store).map(([name, member]: [string, unknown]) => {
    if (typeof member !== 'function') return [name, member];
    // Callers are shown what is rejected: which call it was is for the log only.
    const call = (...args: unknown[]): unknown => {
      const result: unknown = Reflect.apply(member, store, args);
      return result instanceof Promise ? within(ms, 'The platform', result, `${name} of a store`) : result;
    };
    return [name, call];
  });
  return Object.fromEntries(bounded) as T;
}
