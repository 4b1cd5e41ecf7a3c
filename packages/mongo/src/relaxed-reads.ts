import mongoose from 'mongoose';

/**
 * Where reads that carry no guarantee may go. `secondary` alone is not among them: a set that has none for the moment
 * would refuse such reads.
 */
export const readPlaces = ['primary', 'primaryPreferred', 'secondaryPreferred', 'nearest'] as const;
export type ReadPlace = (typeof readPlaces)[number];

/** A member that is further behind is not asked. The server allows no less. */
const staleSeconds = 90;

/**
 * Options of a read whose answer may be some seconds old. Only for what nobody decides by: never for heads, duplicates,
 * permissions, or what somebody may expect to read after their own acknowledged write.
 */
export const relaxed = (place: ReadPlace) => ({
  readPreference: new mongoose.mongo.ReadPreference(
    place,
    undefined,
    place === 'primary' ? {} : { maxStalenessSeconds: staleSeconds },
  ),
});
