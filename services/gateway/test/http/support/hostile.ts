import { randomUUID } from 'node:crypto';
import fc, { type Arbitrary } from 'fast-check';
import { z } from 'zod';

/** Ids that exist, known once the test has made them. */
export type Ids = Record<'conversationId' | 'messageId' | 'userId' | 'deviceId' | 'uploadId', string>;
export type Known = () => Ids;

/** Text that has broken somebody. */
export const hostileText: Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.constantFrom(
    '',
    '0',
    '-1',
    '1e309',
    '99999999999999999999',
    'NaN',
    '[object Object]',
    '__proto__',
    'constructor',
    '$where',
    '{"$gt":""}',
    '../../etc/passwd',
    '%00',
    '\u0000',
    '\u202eabc',
    'ﷺ'.repeat(20),
    '👩‍👩‍👧‍👦'.repeat(10),
    'x'.repeat(5_000),
    "'; DROP TABLE users; --",
    '<script>alert(1)</script>',
    '*',
    '(a+)+$',
  ),
);

/** Values that a JSON body may hold and no schema of ours takes. */
export const hostileValue: Arbitrary<unknown> = fc.oneof(
  hostileText,
  fc.constantFrom<unknown>(
    null,
    true,
    -1,
    0.5,
    1e308,
    Number.MAX_SAFE_INTEGER + 2,
    [],
    [[[[]]]],
    {},
    { $ne: null },
    { $gt: '' },
    { $where: 'sleep(1000)' },
    JSON.parse('{"__proto__":{"polluted":true}}'),
    { constructor: { prototype: { polluted: true } } },
    { toString: 1, valueOf: 2, hasOwnProperty: 3 },
    '\ud800',
    'a\udfffb',
    { length: 1e9 },
    Array.from({ length: 300 }, () => 'x'),
  ),
  fc.object({ maxDepth: 4, maxKeys: 5 }),
);

/** A value for a path parameter: present and absent ids, and what is none. */
export function pathValue(path: string, name: string, known: Known): Arbitrary<string> {
  return fc.oneof(
    { weight: 4, arbitrary: fc.constant(null).map(() => fittingId(path, name, known())) },
    {
      weight: 2,
      arbitrary: fc
        .constantFrom<keyof Ids>('conversationId', 'messageId', 'userId', 'uploadId')
        .map((key) => known()[key]),
    },
    { weight: 2, arbitrary: fc.constant(null).map(() => randomUUID()) },
    { weight: 1, arbitrary: fc.constantFrom('me', 'search', `${randomUUID()}:0`, `${randomUUID()}:99999999999999999`) },
    // A lone surrogate cannot be put into a URL; dots and nothing are other paths.
    { weight: 2, arbitrary: hostileText.filter((text) => !['', '.', '..'].includes(text) && encodable(text)) },
  );
}

/** The known id that a path parameter stands for. */
export function fittingId(path: string, name: string, ids: Ids): string {
  if (name === 'emoji') return '👍';
  if (name === 'userId' || path.startsWith('/users')) return ids.userId;
  if (name === 'messageId' || path.startsWith('/messages')) return ids.messageId;
  if (name === 'uploadId' || name === 'deviceId') return ids[name];
  return ids.conversationId;
}

function encodable(text: string): boolean {
  try {
    return encodeURIComponent(text) !== '';
  } catch {
    return false;
  }
}

/** What an operation takes, spoilt in one place: a wrong value, a key too many or one too few. */
export function spoilt(valid: unknown): Arbitrary<unknown> {
  if (typeof valid !== 'object' || valid === null) return hostileValue;
  const fields = Object.entries(valid);
  const index = fc.nat({ max: Math.max(0, fields.length - 1) });
  return fc.oneof(
    fc.tuple(index, hostileValue).map(([at, wrong]) => withField(valid, fields[at]?.[0] ?? 'x', wrong)),
    fc.tuple(hostileText, hostileValue).map(([key, extra]) => withField(valid, key, extra)),
    index.map((at) => Object.fromEntries(fields.filter((_field, other) => other !== at))),
  );
}

/** Also for a key like `__proto__`, which assigning would not make a field of. */
function withField(object: object, key: string, value: unknown): object {
  return Object.defineProperty({ ...object }, key, { value, enumerable: true, configurable: true, writable: true });
}

/** Mostly what the schema takes, with hostile values, missing and unknown keys mixed in. */
export function shapedLike(schema: z.ZodType, known: Known): Arbitrary<unknown> {
  const good = fromJsonSchema(z.toJSONSchema(schema, { io: 'input' }) as JsonSchema, known);
  const withExtra = fc
    .tuple(good, hostileText, hostileValue)
    .map(([value, key, extra]) =>
      typeof value === 'object' && value !== null && !Array.isArray(value) ? withField(value, key, extra) : value,
    );
  const broken = fc.tuple(good, fc.nat(), hostileValue).map(([value, at, wrong]) => {
    if (typeof value !== 'object' || value === null) return wrong;
    const keys = Object.keys(value);
    return keys.length === 0 ? wrong : { ...value, [keys[at % keys.length] ?? '']: wrong };
  });
  return fc.oneof(
    { weight: 4, arbitrary: good },
    { weight: 2, arbitrary: withExtra },
    { weight: 4, arbitrary: broken },
    { weight: 1, arbitrary: hostileValue.filter((value) => value !== null) },
  );
}

type JsonSchema = {
  type?: string;
  const?: unknown;
  enum?: unknown[];
  pattern?: string;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  items?: JsonSchema;
  maxItems?: number;
  minItems?: number;
  oneOf?: JsonSchema[];
  anyOf?: JsonSchema[];
  propertyNames?: JsonSchema;
  additionalProperties?: JsonSchema | boolean;
};

function fromJsonSchema(schema: JsonSchema, known: Known): Arbitrary<unknown> {
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  const options = schema.oneOf ?? schema.anyOf;
  if (options) return fc.oneof(...options.map((option) => fromJsonSchema(option, known)));
  switch (schema.type) {
    case 'string':
      return stringOf(schema, known);
    case 'integer':
    case 'number':
      return fc.oneof(fc.integer({ min: schema.minimum ?? 0, max: schema.maximum ?? 1_000 }), fc.nat(50));
    case 'boolean':
      return fc.boolean();
    case 'array':
      return fc.array(fromJsonSchema(schema.items ?? {}, known), {
        minLength: schema.minItems ?? 0,
        maxLength: Math.min(schema.maxItems ?? 5, 5),
      });
    case 'object':
      return objectOf(schema, known);
    default:
      return hostileValue;
  }
}

function objectOf(schema: JsonSchema, known: Known): Arbitrary<unknown> {
  if (schema.propertyNames && typeof schema.additionalProperties === 'object') {
    const entry = fc.tuple(stringOf(schema.propertyNames, known), fromJsonSchema(schema.additionalProperties, known));
    return fc.array(entry, { maxLength: 5 }).map((entries) => Object.fromEntries(entries));
  }
  const fields = Object.entries(schema.properties ?? {});
  const arbitraries = Object.fromEntries(fields.map(([name, field]) => [name, fromJsonSchema(field, known)]));
  return fc.record(arbitraries, { requiredKeys: schema.required ?? [] });
}

function stringOf(schema: JsonSchema, known: Known): Arbitrary<string> {
  if (schema.pattern?.startsWith('^[0-9a-fA-F]{8}-')) {
    return fc.oneof(
      fc.constant(null).map(() => known().conversationId),
      fc.uuid(),
    );
  }
  if (schema.pattern) return fc.oneof(fc.stringMatching(new RegExp(schema.pattern)), hostileText);
  return fc.oneof(fc.string({ unit: 'grapheme', maxLength: Math.min(schema.maxLength ?? 100, 100) }), hostileText);
}
