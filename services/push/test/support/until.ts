import { AppError } from '@bluewave/errors/app-error';

/** Asks again until `ask` answers something, or fails after `ms`. */
export async function until<T>(what: string, ask: () => Promise<T | undefined | false>, ms = 10_000): Promise<T> {
  const end = Date.now() + ms;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > end) throw new Error(`${what} did not happen within ${ms} ms`);
    await pause(25);
  }
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Asks again what a busy machine did not answer in time, as clients do: only an answer is an acknowledgement. */
export async function atLast<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof AppError && error.retryable)) throw error;
    return atLast(ask);
  }
}
