import { AppError, type FieldError } from '@bluewave/errors/app-error';
import type { Route, RouteInput } from '@bluewave/api/route';
import type { z } from 'zod';

/** More refused fields than this help nobody. */
const maxFields = 20;

/** Checks params, query and body of a request at once. @throws VALIDATION_FAILED naming every refused field. */
export function validate<R extends Route>(
  route: R,
  given: { params: unknown; query: unknown; body: unknown },
): RouteInput<R> {
  const fields: FieldError[] = [];
  const input = {
    params: check(route.params, given.params, fields),
    query: route.query ? check(route.query, given.query, fields) : refuseKeys(given.query, 'query', fields),
    body: route.body ? check(route.body, given.body, fields) : refuseKeys(given.body, 'body', fields),
  };
  if (fields.length > 0) throw refusal(fields);
  return input as RouteInput<R>;
}

function refusal(fields: FieldError[]): AppError {
  const first = fields[0];
  const where = first && first.path !== '' ? `${first.path}: ` : '';
  return new AppError('VALIDATION_FAILED', `${where}${first?.message ?? 'The request is not valid.'}`, {
    fields: fields.slice(0, maxFields),
  });
}

function check(schema: z.ZodType | undefined, value: unknown, fields: FieldError[]): unknown {
  if (!schema) return undefined;
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  for (const field of parsed.error.issues.flatMap(fieldErrors)) {
    if (fields.length >= maxFields) break;
    // One reason of a kind is enough for a field.
    if (!fields.some(({ path, code }) => path === field.path && code === field.code)) fields.push(field);
  }
  return undefined;
}

/** A part that the operation does not have may be absent or empty. */
function refuseKeys(value: unknown, part: string, fields: FieldError[]): undefined {
  if (value === undefined) return;
  const keys = typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.keys(value) : [part];
  for (const key of keys.slice(0, maxFields)) {
    fields.push({
      path: clip(key),
      code: 'unrecognized_keys',
      message: `is not part of the ${part} of this operation`,
    });
  }
}

/** Each unknown key is a field of its own. */
function fieldErrors(issue: z.core.$ZodIssue): FieldError[] {
  const path = issue.path.map(String).join('.');
  if (issue.code !== 'unrecognized_keys') {
    return [{ path: clip(path), code: issue.code, message: clip(issue.message, 200) }];
  }
  return issue.keys.map((key) => ({
    path: clip(path === '' ? key : `${path}.${key}`),
    code: issue.code,
    message: 'is not a known key',
  }));
}

/** Names chosen by the caller come back short and well-formed. */
function clip(text: string, max = 100): string {
  return text.slice(0, max).replace(/[\uD800-\uDFFF]/g, '\uFFFD');
}
