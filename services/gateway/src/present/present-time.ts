/** Milliseconds since the epoch as ISO 8601 UTC with milliseconds. */
export function presentTime(ms: number): string {
  return new Date(ms).toISOString();
}
