/** The element of an index that must be there. */
export function nth<T>(list: readonly T[], index: number): T {
  const found = list.at(index);
  if (found === undefined) throw new Error(`there are only ${list.length}`);
  return found;
}
