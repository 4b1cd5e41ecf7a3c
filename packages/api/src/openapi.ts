import { errorTable, type ErrorCode } from '@bluewave/errors/error-table';
import { bodyExamples } from './examples.ts';
import { acceptsNothing, type JsonSchema, JsonSchemas } from './json-schemas.ts';
import { errorsOf } from './operation-errors.ts';
import { problem } from './problem-schema.ts';
import type { Route } from './route.ts';
import { routes, type RouteId } from './routes.ts';

export type Json = { [key: string]: unknown };

const description = `Chat infrastructure that product teams host themselves.

* Errors are problem details (RFC 9457) with a stable \`code\`; \`retryAfterMs\` says when to try again.
* Unknown keys of bodies and queries are refused.
* Any POST, PUT, PATCH or DELETE accepts an \`Idempotency-Key\`: a repeat gets the first answer for 24 h.
  Messages have their own: \`clientMsgId\`.
* Lists answer \`{items, nextCursor}\`; ids are opaque; times are ISO 8601 UTC.
* What happens live comes over Socket.IO: see the [socket events](/docs/events).`;

/** The OpenAPI 3.1 document of every REST operation, made from the tables that the gateway serves by. */
export function openApiDocument(): Json {
  const schemas = new JsonSchemas();
  const paths: Record<string, Json> = {};
  schemas.of(problem);
  for (const [id, route] of Object.entries(routes) as [RouteId, Route][]) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(id, route, schemas) };
  }
  const tags = [...new Set(Object.values(routes).map((route) => route.tag))];
  return {
    openapi: '3.1.0',
    info: {
      title: 'Bluewave',
      version: '1',
      description,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/api/v1' }],
    tags: tags.map((name) => ({ name })),
    security: [{ accessToken: [] }],
    paths,
    components: {
      securitySchemes: {
        accessToken: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'The accessToken of a login, register, verify-code or refresh answer.',
        },
      },
      headers: commonHeaders,
      parameters: { IdempotencyKey: idempotencyKey },
      examples: Object.fromEntries(
        (Object.keys(errorTable) as ErrorCode[]).sort().map((code) => [code, { value: problemExample(code) }]),
      ),
      schemas: sorted(schemas.components),
    },
  };
}

const commonHeaders = {
  TraceId: { description: 'Names the request in our logs', schema: { type: 'string', pattern: '^[0-9a-f]{32}$' } },
  RetryAfter: { description: 'Seconds', schema: { type: 'integer', minimum: 1 } },
  RateLimitLimit: { description: 'Requests allowed in the window', schema: { type: 'integer' } },
  RateLimitRemaining: { description: 'Requests left in the window', schema: { type: 'integer' } },
  RateLimitReset: { description: 'Seconds until the window is free', schema: { type: 'integer' } },
};

const idempotencyKey = {
  name: 'Idempotency-Key',
  in: 'header',
  description: 'Unique for this request, e.g. a UUID; a repeat gets the first answer.',
  schema: { type: 'string', minLength: 1, maxLength: 255 },
};

function operation(id: RouteId, route: Route, schemas: JsonSchemas): Json {
  const parameters = parametersOf(route, schemas);
  return {
    operationId: id.replaceAll(/\.(\w)/g, (_dot, letter: string) => letter.toUpperCase()),
    tags: [route.tag],
    summary: route.summary,
    ...(route.access === 'public' ? { security: [] } : {}),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(route.body ? { requestBody: requestBody(id, route.body, schemas) } : {}),
    responses: { ...answers(route, schemas), ...refusals(route) },
  };
}

function parametersOf(route: Route, schemas: JsonSchemas): Json[] {
  const path = route.params ? schemas.fieldsOf(route.params) : [];
  const query = route.query ? schemas.fieldsOf(route.query) : [];
  return [
    ...path.map(({ name, schema }) => ({ name, in: 'path', required: true, schema })),
    ...query.map(({ name, required, schema }) => ({ name, in: 'query', required, schema })),
    ...(route.method === 'GET' ? [] : [{ $ref: '#/components/parameters/IdempotencyKey' }]),
  ];
}

function requestBody(id: RouteId, body: NonNullable<Route['body']>, schemas: JsonSchemas): Json {
  const example = bodyExamples[id];
  return {
    required: !acceptsNothing(body),
    content: { 'application/json': { schema: schemas.of(body), ...(example === undefined ? {} : { example }) } },
  };
}

function answers(route: Route, schemas: JsonSchemas): Json {
  const trace = { 'x-trace-id': { $ref: '#/components/headers/TraceId' } };
  const location = { location: { description: 'A signed URL, valid for minutes', schema: { type: 'string' } } };
  return Object.fromEntries(
    Object.entries(route.answers).map(([status, body]) => [
      status,
      {
        description: statusNames[status] ?? 'Done',
        headers: { ...trace, ...(status === '302' ? location : {}) },
        ...(body ? { content: { 'application/json': { schema: schemas.of(body) } } } : {}),
      },
    ]),
  );
}

const statusNames: Record<string, string> = {
  '200': 'Done',
  '201': 'Created',
  '202': 'Accepted',
  '204': 'Done, nothing to say',
  '302': 'Elsewhere',
};

function refusals(route: Route): Json {
  return Object.fromEntries(
    [...errorsOf(route)].map(([status, codes]) => [
      String(status),
      {
        description: codes.map((code) => `\`${code}\`: ${errorTable[code].title}`).join('. '),
        headers: {
          'x-trace-id': { $ref: '#/components/headers/TraceId' },
          ...(status === 429 || status === 503 ? { 'retry-after': { $ref: '#/components/headers/RetryAfter' } } : {}),
          ...(status === 429 ? rateHeaders : {}),
        },
        content: {
          'application/problem+json': {
            schema: { $ref: '#/components/schemas/Problem' },
            examples: Object.fromEntries(codes.map((code) => [code, { $ref: `#/components/examples/${code}` }])),
          },
        },
        'x-error-codes': codes,
      },
    ]),
  );
}

const rateHeaders = {
  'ratelimit-limit': { $ref: '#/components/headers/RateLimitLimit' },
  'ratelimit-remaining': { $ref: '#/components/headers/RateLimitRemaining' },
  'ratelimit-reset': { $ref: '#/components/headers/RateLimitReset' },
};

/** What a refusal with this code looks like. */
function problemExample(code: ErrorCode): Json {
  const { title, http } = errorTable[code];
  return {
    type: `urn:bluewave:error:${code.toLowerCase().replaceAll('_', '-')}`,
    title,
    status: http,
    code,
    detail: title,
    traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  };
}

function sorted(components: Record<string, JsonSchema>): Record<string, JsonSchema> {
  return Object.fromEntries(Object.entries(components).sort(([a], [b]) => a.localeCompare(b)));
}
