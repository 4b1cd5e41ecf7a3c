type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** What was given of an input's fields, without those that were left out. */
export function given<T extends object>(fields: T): Given<T> {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Given<T>;
}
