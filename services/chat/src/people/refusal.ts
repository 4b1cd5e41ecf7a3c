import { AppError } from '@bluewave/errors/app-error';

/**
 * The one refusal of what another person or a policy does not want. Whatever the reason: who is blocked must not be
 * able to tell.
 */
export function notWanted(): AppError {
  return new AppError('FORBIDDEN', 'You may not do this with these people.');
}
