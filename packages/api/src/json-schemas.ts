import { z } from 'zod';

export type JsonSchema = { [key: string]: unknown };

/**
 * Turns zod schemas into JSON Schema 2020-12 as clients write and read it. Named schemas (`.meta({id})`) become
 * `#/components/schemas/<id>` and are gathered in `components`.
 */
export class JsonSchemas {
  readonly components: Record<string, JsonSchema> = {};

  /** The schema of one payload: a reference when it is named. */
  of(schema: z.ZodType): JsonSchema {
    // Inside of an object, a named schema becomes a reference like any other.
    const { properties, $defs } = z.toJSONSchema(z.strictObject({ value: schema }), { io: 'input' });
    for (const [id, definition] of Object.entries($defs ?? {})) {
      this.components[id] ??= relink(definition) as JsonSchema;
    }
    return relink(properties?.['value']) as JsonSchema;
  }

  /** Schemas of the keys of an object, and which are required. */
  fieldsOf(schema: z.ZodObject): { name: string; required: boolean; schema: JsonSchema }[] {
    return Object.entries(schema.shape).map(([name, field]) => ({
      name,
      required: !acceptsNothing(field as z.ZodType),
      schema: this.of(field as z.ZodType),
    }));
  }
}

/** Whether a payload may be absent. */
export function acceptsNothing(schema: z.ZodType): boolean {
  return schema.safeParse(undefined).success;
}

function relink(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(relink);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      key === '$ref' && typeof inner === 'string' ? inner.replace('#/$defs/', '#/components/schemas/') : relink(inner),
    ]),
  );
}
