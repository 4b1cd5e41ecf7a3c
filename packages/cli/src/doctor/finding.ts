/** `unchecked` is never good news: it names the flag that would enable the check. */
export type State = 'ok' | 'warning' | 'failed' | 'unchecked';

/** One thing that was looked at: what is so, and what to do about it unless it is well. */
export type Finding = { check: string; state: State; what: string; fix?: string };

export const ok = (check: string, what: string): Finding => ({ check, state: 'ok', what });
export const warning = (check: string, what: string, fix: string): Finding => ({ check, state: 'warning', what, fix });
export const failed = (check: string, what: string, fix: string): Finding => ({ check, state: 'failed', what, fix });
export const unchecked = (check: string, what: string, fix: string): Finding => ({
  ...{ check, state: 'unchecked', what, fix },
});

/** The reason of an error, with what lies under it, in one line. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  const below = cause instanceof Error && !error.message.includes(cause.message) ? `: ${cause.message}` : '';
  return `${error.message}${below}`.replaceAll(/\s+/g, ' ').trim();
}
