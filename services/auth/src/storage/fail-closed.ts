import { AppError } from '@bluewave/errors/app-error';

/** Without Redis nobody can count guesses, so nobody guesses: whatever fails becomes UNAVAILABLE. */
export async function failClosed<T>(operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw new AppError('UNAVAILABLE', 'Logging in is not possible for a moment. Try again.', {
      cause: error,
      retryAfterMs: 1_000,
    });
  }
}
