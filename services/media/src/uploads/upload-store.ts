import type { Upload } from './upload.ts';

/** Until when an answer is needed, milliseconds since the epoch. */
export type Deadline = { deadline: number };

/**
 * The record of uploads. Reads see only what a majority holds, writes return once a majority holds them. Every method
 * throws AppError UNAVAILABLE or DEADLINE_EXCEEDED when that is not known in time.
 */
export type UploadStore = {
  insert(upload: Upload, by: Deadline): Promise<void>;
  find(id: string, by: Deadline): Promise<Upload | undefined>;
  /** Those of the ids that exist, in any order. */
  findMany(ids: string[], by: Deadline): Promise<Upload[]>;
  /**
   * Replaces the record when it still has `upload.version`.
   * @returns it with its new version, or undefined when it was changed or removed meanwhile.
   */
  save(upload: Upload, by: Deadline): Promise<Upload | undefined>;
  /** Up to `limit` records whose `dueAt` has come, the longest due first. */
  findDue(now: number, limit: number, by: Deadline): Promise<Upload[]>;
  /** Removes the record when it still has `upload.version`. */
  remove(upload: Upload, by: Deadline): Promise<void>;
  /** When the upload that waits longest in `processing` was confirmed. */
  oldestProcessing(by: Deadline): Promise<number | undefined>;
};

export type UploadLimiter = {
  /**
   * Takes one of the user's `limit` uploads of the hour that ends now.
   * @returns 0, or in how many milliseconds the next one will be free.
   */
  take(userId: string, limit: number, now: number, by: Deadline): Promise<number>;
};
