import { S3ServiceException } from '@aws-sdk/client-s3';
import { AppError } from '@bluewave/errors/app-error';

/** Whether the storage answered, and with this status. */
export function hasStatus(error: unknown, ...statuses: number[]): boolean {
  return error instanceof S3ServiceException && statuses.includes(error.$metadata.httpStatusCode ?? 0);
}

/** Whether the storage answered with this code. */
export function hasName(error: unknown, ...names: string[]): boolean {
  return error instanceof S3ServiceException && names.includes(error.name);
}

/**
 * What a failed request means: time is over, or the storage cannot be used for the moment. Every S3 request of ours
 * may be repeated, so also a refusal that an operator must mend (a wrong key, a missing bucket) is retryable.
 */
export function s3Failure(error: unknown, deadline: number): AppError {
  if (error instanceof AppError) return error;
  if (Date.now() >= deadline) {
    return new AppError('DEADLINE_EXCEEDED', 'The object storage did not answer in time. Try again.', { cause: error });
  }
  return new AppError('UNAVAILABLE', 'The object storage cannot be used for the moment. Try again.', {
    cause: error,
    retryAfterMs: 1_000,
  });
}
