import { errorTable } from '@bluewave/errors/error-table';
import { z } from 'zod';
import { timestamp } from './fields.ts';

/** RFC 9457 problem details: the body of every REST error and the `error` of every refused socket event. */
export const problem = z
  .object({
    type: z.string().meta({ description: 'urn:bluewave:error:<code>' }),
    title: z.string(),
    status: z.int(),
    code: z.string().meta({ description: 'Stable and machine-readable', enum: Object.keys(errorTable).sort() }),
    detail: z.string().meta({ description: 'What the caller can do' }),
    traceId: z.string(),
    errors: z
      .array(z.object({ path: z.string(), code: z.string(), message: z.string() }))
      .optional()
      .meta({ description: 'Refused fields' }),
    retryAfterMs: z.int().optional().meta({ description: 'Earliest useful time to try again' }),
    mutedUntil: timestamp.optional(),
  })
  .meta({ id: 'Problem' });
