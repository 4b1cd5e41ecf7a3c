import { z } from 'zod';
import { emojiOf } from './emoji.ts';
import { limits } from './limits.ts';

/** A UUID of any version, lower-cased. */
export const uuid = z
  .string()
  .regex(/^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/, 'must be a UUID')
  .transform((value) => value.toLowerCase())
  .meta({ description: 'UUID', examples: ['0190a8f2-7c1e-7b3a-9d55-3f1f6f0e9a11'] });

/** Who is called by a message: a member's id, or `all`. */
export const mention = z
  .string()
  .regex(/^(all|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$/, 'must be a UUID or all')
  .transform((value) => value.toLowerCase())
  .meta({ examples: ['0190a8f2-7c1e-7b3a-9d55-3f1f6f0e9a11', 'all'] });

/** A message's address: `<conversationId>:<seq>`. Clients treat it as opaque. */
export const messageId = z
  .string()
  .regex(
    /^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}:[1-9][0-9]{0,15}$/,
    'must be a message id',
  )
  .refine((value) => Number.isSafeInteger(Number(value.slice(37))), 'must be a message id')
  .transform((value) => value.toLowerCase())
  .meta({ description: 'Message id', examples: ['6d5f0c2e-44a5-4c0e-8f0e-2f2b7a1c9d3e:42'] });

/** One emoji or a short code; emoji in their full form. */
export const emoji = z
  .string()
  .max(40)
  .refine((value) => emojiOf(value) !== null, 'must be one emoji or a short code')
  .transform((value) => emojiOf(value) ?? value)
  .meta({
    description: 'One emoji, or a short code of 1 to 32 letters, digits, _, + and -, in colons or not',
    examples: ['👍', 'party_parrot', ':party_parrot:'],
  });

/** The parts of a message id that has passed its schema. */
export function parseMessageId(id: string): { conversationId: string; seq: number } {
  return { conversationId: id.slice(0, 36), seq: Number(id.slice(37)) };
}

/** A position in a log; 0 stands before the first entry. */
export const seq = z.int().min(0).max(Number.MAX_SAFE_INTEGER);

/** A position in a query string. */
export const seqQuery = z
  .string()
  .regex(/^\d{1,16}$/, 'must be a whole number')
  .transform(Number)
  .pipe(seq);

/** `limit` of a list in a query string. */
export const limitQuery = z
  .string()
  .regex(/^\d{1,4}$/, 'must be a whole number')
  .transform(Number)
  .pipe(z.int().min(1).max(limits.maxPageSize))
  .optional();

/** An opaque cursor from an earlier page. */
export const cursorQuery = z.string().min(1).max(512).optional();

/** Text of people: at most `max` characters (code points), well-formed Unicode, no NUL. */
export const text = (max: number, min = 0) =>
  z
    .string()
    .max(max * 2)
    .refine((value) => {
      const length = countCharacters(value);
      return length >= min && length <= max;
    }, `must have ${min} to ${max} characters`)
    .refine((value) => isWellFormed(value), 'must be well-formed text without NUL')
    .meta({ minLength: min, maxLength: max });

function countCharacters(value: string): number {
  let count = 0;
  for (const _character of value) count += 1;
  return count;
}

function isWellFormed(value: string): boolean {
  return !value.includes('\0') && !/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/.test(value);
}

/** ISO 8601 UTC with milliseconds. */
export const timestamp = z.string().meta({ format: 'date-time', examples: ['2026-01-31T12:00:00.000Z'] });

/** A day or a time in a query string, ISO 8601; as milliseconds since the epoch. A day begins at midnight UTC. */
export const timeQuery = z
  .string()
  .max(40)
  .regex(
    /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2}))?$/,
    'must be an ISO 8601 day or time with a zone',
  )
  .transform((value) => Date.parse(value))
  .refine((value) => value >= 0, 'must be a day or time since 1970')
  .meta({ description: 'ISO 8601 day or time', examples: ['2026-01-31', '2026-01-31T12:00:00.000Z'] });

/** A time that clients give: ISO 8601 UTC. */
export const timestampInput = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/, 'must be an ISO 8601 time in UTC')
  .refine((value) => !Number.isNaN(Date.parse(value)), 'must be a time')
  .meta({ examples: ['2026-01-31T12:00:00.000Z'] });

export const email = z
  .string()
  .max(255)
  .regex(/^[^\s@<>"(),:;[\]\\]+@[^\s@<>"(),:;[\]\\]+\.[^\s@.<>"(),:;[\]\\]+$/, 'must be an e-mail address')
  .meta({ format: 'email', examples: ['ada@example.com'] });

export const username = z
  .string()
  .regex(/^[A-Za-z0-9_.]{3,50}$/, 'must have 3 to 50 letters, digits, dots or underscores')
  .meta({ examples: ['ada'] });

export const password = text(200, 8).meta({ format: 'password' });

export const phone = z
  .string()
  .regex(/^\+[1-9][0-9]{6,14}$/, 'must be an E.164 number, e.g. +4915112345678')
  .meta({ examples: ['+4915112345678'] });

/** E-mail, E.164 phone or username. */
export const identifier = text(255, 1).meta({ examples: ['ada@example.com', '+4915112345678', 'ada'] });

export const device = z
  .strictObject({
    id: uuid.optional(),
    name: text(100, 1),
    platform: z.enum(['ios', 'android', 'web', 'desktop', 'other']),
    appVersion: text(50, 1).optional(),
  })
  .meta({ description: 'The device that logs in; the id is the client’s own UUID, without one the server makes it.' });
