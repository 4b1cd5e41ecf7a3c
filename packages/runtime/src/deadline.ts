import { AppError } from '@bluewave/errors/app-error';

/** Milliseconds since the epoch by which an answer must have been given. */
export type Deadline = number;

/** What is left of a deadline, at least 1 ms, capped by `max`. */
export function remainingMs(deadline: Deadline, max = Number.POSITIVE_INFINITY, now = Date.now()): number {
  return Math.max(1, Math.min(deadline - now, max));
}

/**
 * Settles as `promise` does, or rejects with DEADLINE_EXCEEDED after `ms`. The work itself goes on: use it for calls
 * that have no deadline of their own. `call` names it for the log, as the cause.
 */
export async function within<T>(ms: number, what: string, promise: Promise<T>, call?: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const cause = call === undefined ? undefined : new Error(`${call} took longer than ${ms} ms`);
      reject(new AppError('DEADLINE_EXCEEDED', `${what} did not answer in time.`, { cause }));
    }, ms);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves after `ms`, or at once when `signal` aborts: for whoever looks at the signal next. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end, { once: true });
  });
}

/** Resolves after `ms`; rejects at once when `signal` aborts. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, ms);
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', abort, { once: true });
  });
}
