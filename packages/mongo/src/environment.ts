import { integer } from '@bluewave/runtime/config';
import { z } from 'zod';
import { readPlaces } from './relaxed-reads.ts';

/** The variables of every service that keeps records, beside where its database is. */
export const mongoEnvironment = {
  /** Calls of stores that take this long are logged and counted; 0: none is timed. */
  SLOW_QUERY_MS: integer(200, 0, 60_000),
  /** Where reads that carry no guarantee go; all others go to the primary. */
  MONGODB_READ_PREFERENCE: z.enum(readPlaces).default('primary'),
};
