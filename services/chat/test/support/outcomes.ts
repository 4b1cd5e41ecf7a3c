import { AppError } from '@bluewave/errors/app-error';

/** `done`, or the code of the refusal. */
export async function codeOf(attempt: Promise<unknown>): Promise<string> {
  try {
    await attempt;
    return 'done';
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
}

const persistMs = 20_000;

/** As callers do: what may be repeated is, for as long as anybody would. */
export async function persist<T>(attempt: () => Promise<T>): Promise<T> {
  const end = Date.now() + persistMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof AppError) || !error.retryable || Date.now() >= end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
}
