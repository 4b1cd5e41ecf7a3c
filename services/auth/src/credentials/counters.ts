/** A count within a window of time that began with its first hit. */
export type Count = { count: number; resetsInMs: number };

/**
 * Counters that all processes share. When they cannot be read, every method rejects with UNAVAILABLE: whoever
 * relies on a limit then refuses.
 */
export type Counters = {
  /** Adds one, opening a window of `windowMs` if none is open. @returns the count with this hit. */
  hit(key: string, windowMs: number): Promise<Count>;
  peek(key: string): Promise<Count>;
  clear(key: string): Promise<void>;
};
