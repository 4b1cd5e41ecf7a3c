import { z } from 'zod';
import { cursorQuery, limitQuery, messageId, uuid } from '../fields.ts';

/** What several operations share. */
export const page = <T extends z.ZodType>(item: T) =>
  z.object({ items: z.array(item), nextCursor: z.string().nullable() });

export const byId = z.strictObject({ id: uuid });
export const byMember = z.strictObject({ id: uuid, userId: uuid });
export const byMessage = z.strictObject({ id: messageId });
export const byDevice = z.strictObject({ deviceId: uuid });
export const byUpload = z.strictObject({ uploadId: uuid });
export const listQuery = z.strictObject({ limit: limitQuery, cursor: cursorQuery });
