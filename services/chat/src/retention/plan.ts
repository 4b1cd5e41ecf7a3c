/** What a log looks like from its beginning: where it begins and ends, and its first entry that is not old. */
export type LogEnds = {
  first: number;
  head: number;
  /** Undefined when none of those that were looked at is young. */
  young: { seq: number; at: number } | undefined;
  /** The last seq that was looked at. */
  lookedTo: number;
};

/** Where a log shall begin, and what has to be old for it to be looked at again. */
export type Plan = { floor: number; lookFrom: number };

/** A log is looked at no more often than this: what is below its floor is hidden from each of its members one by one. */
export const lookAgainMs = 86_400_000;

/**
 * Takes a run of old entries from the beginning of a log, never its last one, by which its end is known, and nothing
 * that search does not cover yet.
 */
export function planOf({ first, head, young, lookedTo }: LogEnds, coveredTo: number, olderThan: number): Plan {
  const begin = Math.min(young ? young.seq : lookedTo + 1, head);
  const floor = Math.max(first, Math.min(begin, coveredTo + 1));
  const isMoreOld = floor < begin || (!young && begin < head);
  return { floor, lookFrom: isMoreOld ? olderThan : Math.max(young?.at ?? 0, olderThan + lookAgainMs) };
}
