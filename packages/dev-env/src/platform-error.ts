/**
 * A failure that a person can act on. Its message is one clear sentence; the command line prints it alone, without a
 * stack. Anything else that escapes is a bug and keeps its stack.
 */
export class PlatformError extends Error {
  override readonly name = 'PlatformError';
}

/** The `code` of a system error (`ENOSPC`, `EACCES`...), or undefined for anything else. */
export const systemCode = (error: unknown): string | undefined => {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
};

/** What an error says. Not by `instanceof`: under jest, errors of Node itself belong to another realm. */
export const messageOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error);

/**
 * Turns system errors that a person causes and can cure into one sentence.
 *
 * @param doing what was attempted, to finish the sentence "... while <doing>"
 * @returns a PlatformError for the known ones, else the error itself (as an Error)
 */
export const explain = (error: unknown, doing: string): Error => {
  if (error instanceof PlatformError) return error;
  const code = systemCode(error);
  const options = { cause: error };
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new PlatformError(`The disk is full: free some space and try again (while ${doing}).`, options);
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return new PlatformError(`Permission denied while ${doing}: ${messageOf(error)}.`, options);
  if (code === 'EEXIST' || code === 'ENOTDIR')
    return new PlatformError(
      `There is a file where a folder is needed (while ${doing}): ${messageOf(error)}.`,
      options,
    );
  if (code === 'EMFILE' || code === 'ENFILE')
    return new PlatformError(`Too many open files while ${doing}: raise the limit with "ulimit -n 4096".`, options);
  return error instanceof Error ? error : new Error(messageOf(error), options);
};
